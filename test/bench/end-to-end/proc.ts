import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Linux counts the CPU time of a process in hundredths of a second (USER_HZ), whatever its kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/**
 * Ends the benchmark with a clear word where there is no /proc.
 * @throws Error on any other system than Linux
 */
export function requireLinux(): void {
  if (existsSync('/proc/self/stat')) return;
  throw new Error(
    'The end-to-end benchmark needs Linux: it reads CPU time and memory of processes from /proc.',
  );
}

/** CPU time, user and system, of all threads of a process since its start, seconds; steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const [user, system] = statFields(pid).slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}

/** CPU time of all processes of the machine since its start, seconds; what a hypervisor took away is part of it. */
export function machineCpuSeconds(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  const busy = [user, nice, system, irq, softirq, steal].reduce<number>(
    (sum, ticks) => sum + (ticks ?? 0),
    0,
  );
  return busy / TICKS_PER_SECOND;
}

/** The most resident memory that a process has had, bytes; mapped files (the spool) are part of it. */
export function peakRssBytes(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** Ids of all processes that a process has started, and of those that these have started. */
export function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    const parent = parentOf(Number(name));
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return undefined;
  }
}

/** Fields of `/proc/<pid>/stat` from the third on (state): the second, the name in parentheses, may hold anything. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
