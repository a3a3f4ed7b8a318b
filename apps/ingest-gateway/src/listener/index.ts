export { createDataPlane } from './data-plane.js';
export { ReactorLauncher as ReactorForks } from './reactor-launcher.js';
export type * from './types.js';
