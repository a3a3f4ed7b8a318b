import { thousands } from './columns.js';
import { median } from './numbers.js';
import type { Results, Run } from './results.js';
import { ratioToPeers, rowsOf, type Row } from './summary.js';

/** What the table cannot say, one sentence each. */
export function remarks(results: Results): string[] {
  const rows = rowsOf(results);
  const peers = rows.filter(({ run }) => run.kind === 'peer');
  const single = results.runs.flatMap(ofRun);
  return [...new Set(peers.map(describePeer)), ...toPeers(rows), ...scaling(rows), ...new Set(single)];
}

/** Scenarios that are compared with peers: the gateway's whole work, on the two inputs that peers are given too. */
const COMPARED = ['clickhouse', 'uniform'];

function describePeer({ run }: Row): string {
  return `${run.version}: ${run.scenario.about}.`;
}

function toPeers(rows: readonly Row[]): string[] {
  return COMPARED.flatMap((name) => {
    const ratio = ratioToPeers(rows, name);
    if (ratio === undefined) return [];
    return [`${name}: ${ratio.toFixed(2)} times the events a CPU second of the better peer.`];
  });
}

function scaling(rows: readonly Row[]): string[] {
  const one = rows.find(({ run }) => run.scenario.name === 'reactors-1')?.run.figures;
  const two = rows.find(({ run }) => run.scenario.name === 'reactors-2')?.run.figures;
  if (one === undefined || two === undefined) return [];
  const times = (two.takenPerSecond / one.takenPerSecond).toFixed(2);
  const [each, both] = [thousands(one.eventsPerCpuSecond), thousands(two.eventsPerCpuSecond)];
  return [`2 reactors take ${times} times what 1 takes, at ${both} events a CPU second against ${each}.`];
}

function ofRun(run: Run): string[] {
  switch (run.kind) {
    case 'start': {
      const [first, again] = [run.firstMs, run.againMs].map((each) => Math.round(median(each)));
      return [`start: ready after ${first} ms with an empty data directory, after ${again} ms again.`];
    }
    case 'idle': {
      const kib = (run.bytesPerConnection / 1024).toFixed(1);
      return [`idle: ${kib} KiB of memory for each of ${run.connections} connections.`];
    }
    case 'skipped':
      return [`${run.scenario.name}: skipped. ${run.reason}`];
    case 'failed':
      return [`${run.scenario.name}: FAILED. ${run.reason}`];
    default:
      return [];
  }
}
