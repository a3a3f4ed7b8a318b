import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What a lock file says of the process that holds it: plain JSON. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Tells the process from a later one with the same id: when it started, as the system writes it. */
  readonly processStart?: string;
  /** Within which its id means something: boot of the machine and PID namespace. Missing where the system does not say. */
  readonly pidSpace?: string;
}

/** This process, for a lock file. */
export function ownIdentity(): ProcessIdentity {
  const [start, space] = [processStart(process.pid), pidSpace()];
  return {
    pid: process.pid,
    host: hostname(),
    ...(start !== undefined && { processStart: start }),
    ...(space !== undefined && { pidSpace: space }),
  };
}

/**
 * Whether a process still runs. `unknown` for one on another machine or in another container: ids of one say nothing in
 * the other, whatever the host names are.
 */
export function stateOf(identity: ProcessIdentity): 'running' | 'gone' | 'unknown' {
  const space = pidSpace();
  const known =
    space === undefined || identity.pidSpace === undefined ? undefined : identity.pidSpace === space;
  if (!(known ?? identity.host === hostname())) return 'unknown';
  if (!isRunning(identity.pid)) return 'gone';
  const start = processStart(identity.pid);
  const same = identity.processStart === undefined || start === undefined || identity.processStart === start;
  return same ? 'running' : 'gone';
}

/** Whether a process with this id runs on this machine, whoever owns it. One that nobody has waited for has ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !/^[ZXx]/.test(linuxStat(pid)?.[0] ?? '');
}

/**
 * What tells a process from a later one with the same id: the time it started, as the system writes it. `undefined`
 * where the system does not say.
 */
export function processStart(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return linuxStat(pid)?.[19];
    if (process.platform === 'win32') return undefined;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim();
  } catch {
    return undefined;
  }
}

/** Fields of proc_pid_stat(5) from the third one on, the state; the command's name before it may hold anything. */
function linuxStat(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function pidSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}
