export * from './disk-room.js';
export * from './format.js';
export * from './spool.js';
export * from './spool-types.js';
export { SpoolLane } from './spool-lane.js';
export * from './reader.js';
