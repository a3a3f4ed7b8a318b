export { createDataPlane } from './data-plane.js';
export { ReactorLauncher } from './reactor-launcher.js';
export type * from './types.js';
