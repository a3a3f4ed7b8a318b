/**
 * What a program needs to run pipelines: configuration, registry, runtime, spool, admission, listening and
 * observability. For the gateway itself; it changes without notice, and a plugin must not use it.
 */
export * from '../admission/index.js';
export * from '../config/index.js';
export * from '../listen/index.js';
export * from '../observability/index.js';
export * from '../registry/index.js';
export * from '../runtime/index.js';
export * from '../spool/index.js';
