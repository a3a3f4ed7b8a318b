export { DataPlaneHost } from './data-plane-host.js';
