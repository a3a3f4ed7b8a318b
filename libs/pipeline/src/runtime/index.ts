export { createPipeline } from './create-pipeline.js';
export type { ReplayItem, ReplayOutcome } from './replay-types.js';
export * from './types.js';
