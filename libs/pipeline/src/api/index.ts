export * from './batch.js';
export * from './context.js';
export * from './dead-letters.js';
export * from './errors.js';
export * from './event-type.js';
export * from './plugin.js';
export * from './services.js';
export * from './streams.js';
