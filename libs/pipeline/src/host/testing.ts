/** Test tools for programs; they need the native packages of the spool. */
export * from '../testing/pipeline-harness.js';
export * from '../testing/spool-rig.js';
