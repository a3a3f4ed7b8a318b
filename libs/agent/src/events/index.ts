export * from './generator.js';
export * from './kinds.js';
