export * from './disk-space.js';
export * from './format.js';
export * from './spool.js';
export * from './spool-types.js';
export { SpoolDestination as SpoolLane } from './spool-destination.js';
export * from './reader.js';
