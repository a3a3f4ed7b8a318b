import type { AgentCredentials } from '../../support/raw-agent.js';
import { cpuSeconds } from './proc.js';

/** Something that takes events and whose work is measured. */
export interface Target {
  readonly port: number;
  /** Who may connect. */
  readonly agents: readonly AgentCredentials[];
  /** Ids of the processes that do the work, by the part that their CPU time is shown as. */
  processes(): Promise<ProcessGroups>;
  /**
   * Resolves when all events that were sent since the start are through: stored, or counted where nothing is stored.
   * @param bytes their size, for a target that can tell only by what it has written
   * @throws Error when they are not in time, or one was refused
   */
  settled(events: number, bytes: number): Promise<void>;
  /**
   * Counts what is stored.
   * @throws Error when it is not exactly what was sent
   */
  verify(events: number): Promise<void>;
  stop(): Promise<void>;
}

/** Parts of a target, each with the ids of its processes. */
export type ProcessGroups = Readonly<Record<string, readonly number[]>>;

/** CPU time of each part up to now, seconds. */
export function cpuByGroup(groups: ProcessGroups): Record<string, number> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)]),
  );
}
