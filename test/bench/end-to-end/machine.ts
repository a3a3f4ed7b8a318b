import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Machine } from './results.js';

/** Describes the machine without naming it. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release().split('-')[0] ?? '',
    node: process.version,
    openssl: process.versions.openssl,
  };
}
