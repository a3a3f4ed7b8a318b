import type { GatewayStatus } from '../support/gateway.js';
import type { Rig } from './rig.js';
import { sampleProcess } from './proc.js';

/** What is read of a gateway at one moment. */
export interface Reading {
  /** Since the start of the run, seconds. */
  readonly at: number;
  readonly phase: string;
  /** Memory of all reactors of their own, bytes. */
  readonly reactorBytes: number;
  /** Resident file pages of all reactors, bytes. */
  readonly reactorFileBytes: number;
  readonly controlBytes: number;
  /** Descriptors of control process and reactors. */
  readonly descriptors: number;
  readonly threads: number;
  readonly received: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  readonly spoolEntries: number;
  readonly spoolBytes: number;
  readonly backPressure: boolean;
  readonly connections: number;
}

/** Reads status and `/proc` of a gateway. */
export async function read(rig: Rig, phase: string, since: number): Promise<Reading> {
  const { gateway } = rig;
  const status = await gateway.status();
  const { pipelines, listener } = status;
  const reactors = listener.reactors.map(({ pid }) => sampleProcess(pid));
  const control = sampleProcess(gateway.pid);
  const count = (name: keyof GatewayStatus['pipelines'][0]['counts']): number =>
    sum(pipelines, ({ counts }) => counts[name]);
  return {
    at: (performance.now() - since) / 1_000,
    phase,
    reactorBytes: sum(reactors, ({ anonBytes }) => anonBytes),
    reactorFileBytes: sum(reactors, ({ fileBytes }) => fileBytes),
    controlBytes: control.anonBytes,
    descriptors: sum([control, ...reactors], ({ descriptors }) => descriptors),
    threads: sum([control, ...reactors], ({ threads }) => threads),
    received: count('received'),
    delivered: count('delivered'),
    deadLettered: count('deadLettered'),
    inFlight: count('inFlight'),
    spoolEntries: sum(pipelines, ({ queue }) => queue.spool?.entries ?? 0),
    spoolBytes: sum(pipelines, ({ queue }) => queue.spool?.bytes ?? 0),
    backPressure: pipelines.some(({ backPressure }) => backPressure),
    connections: listener.connections,
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
