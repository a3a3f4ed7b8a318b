export * from './config/index.js';
export * from './registry/index.js';
export * from './runtime/index.js';
