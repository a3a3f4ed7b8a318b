/** The tricks of speed: what each gains is in `README.md`, and a property test compares each with the plain way. */
export * from './arrange.js';
export * from './buffer-pool.js';
export * from './compile-function.js';
export * from './fifo.js';
export { FlatJson } from './flat-json.js';
export * from './iso-time.js';
export * from './line.js';
export * from './write-json.js';
