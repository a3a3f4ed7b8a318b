export * from './backoff.js';
export * from './ip.js';
export * from './line-framer.js';
export * from './live-value.js';
export * from './read-message.js';
export * from './sleep.js';
export * from './spki.js';
