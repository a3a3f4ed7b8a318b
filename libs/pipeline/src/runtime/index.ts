export { createPipeline } from './create-pipeline.js';
export * from './types.js';
