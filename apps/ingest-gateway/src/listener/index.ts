export { createDataPlane } from './data-plane.js';
export { ReactorForks } from './reactor-forks.js';
export type * from './types.js';
