import { thousands } from './columns.js';
import type { Run } from './results.js';

/** One line for a run that has just ended. */
export function describeRun(run: Run): string {
  const name = run.kind === 'bare' ? `  bare loop: ${run.corpus}` : run.scenario.name;
  return `${name.padEnd(22)} ${outcome(run)}`;
}

function outcome(run: Run): string {
  switch (run.kind) {
    case 'bare':
    case 'load':
    case 'peer':
      return `${thousands(run.figures.eventsPerCpuSecond)} events a CPU second, ${thousands(run.figures.takenPerSecond)} taken a second`;
    case 'start':
      return `${run.firstMs.join(', ')} ms; again ${run.againMs.join(', ')} ms`;
    case 'idle':
      return `${(run.bytesPerConnection / 1024).toFixed(1)} KiB a connection`;
    case 'failed':
      return `FAILED: ${run.reason}`;
    case 'skipped':
      return `skipped: ${run.reason}`;
  }
}
