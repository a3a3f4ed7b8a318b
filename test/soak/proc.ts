import { readdirSync, readFileSync } from 'node:fs';

/** What the system knows of a process. */
export interface ProcessSample {
  /** Resident memory of its own, bytes: heap, buffers, stacks. */
  readonly anonBytes: number;
  /** Resident pages of files, bytes: the program and what is read of the spool; the system takes them back when it needs them. */
  readonly fileBytes: number;
  /** Open descriptors. */
  readonly descriptors: number;
  readonly threads: number;
}

/** Processor time that a process has used since its start, seconds; 0 where there is none. */
export function processorSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // In the hundredths of a second of `getconf CLK_TCK`.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** Looks at a process, by `/proc`. @throws Error when there is none, or no `/proc` */
export function sampleProcess(pid: number): ProcessSample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    anonBytes: number('RssAnon') * 1024,
    fileBytes: (number('RssFile') + number('RssShmem')) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
  };
}
