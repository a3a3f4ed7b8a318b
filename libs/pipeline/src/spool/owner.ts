import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { GatewayError } from '../api/index.js';
import type { SpoolDatabase } from './database.js';

interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the system's own unit; tells a later process of the same id apart. */
  readonly processStart?: string;
}

const KEY = 'owner';
/** Claims of this process: an owner record with its id that is none of these is a left-over of an earlier process. */
const held = new Set<string>();

/**
 * Makes this process the one that writes the spool. The claim is a record in the spool itself, written under its own
 * lock between processes; it ends with the process, however that ends. Returns what gives it back.
 * @throws GatewayError `SPOOL_IN_USE` while another holder lives
 */
export function claim(database: SpoolDatabase, directory: string): () => void {
  const own: Owner = { id: randomUUID(), pid: process.pid, host: hostname(), ...startOf(process.pid) };
  // Asked each time: the file may be opened anew meanwhile.
  database.root.transactionSync(() => {
    const { tables } = database;
    const holder = read(tables.meta.get(KEY));
    if (holder !== undefined && lives(holder)) throw inUse(directory, holder);
    void tables.meta.put(KEY, Buffer.from(JSON.stringify(own)));
  });
  held.add(own.id);
  return () => {
    held.delete(own.id);
    database.root.transactionSync(() => {
      const { tables } = database;
      if (read(tables.meta.get(KEY))?.id === own.id) void tables.meta.remove(KEY);
    });
  };
}

function read(record: Buffer | undefined): Owner | undefined {
  if (record === undefined) return undefined;
  try {
    return JSON.parse(record.toString()) as Owner;
  } catch {
    return undefined;
  }
}

/** A holder on another host is gone: the data directory has its own lock, which looks after that. */
function lives({ id, pid, host, processStart }: Owner): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return held.has(id);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && sameProcess(pid, processStart);
  }
  return sameProcess(pid, processStart);
}

function sameProcess(pid: number, processStart: string | undefined): boolean {
  const now = startOf(pid).processStart;
  return processStart === undefined || now === undefined || now === processStart;
}

/** Field 22 of Linux' `/proc/<pid>/stat`; the name in field 2 may hold anything. Nothing elsewhere. */
function startOf(pid: number): { processStart?: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const processStart = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return processStart === undefined ? {} : { processStart };
  } catch {
    return {};
  }
}

function inUse(directory: string, { pid }: Owner): GatewayError {
  return new GatewayError(
    'SPOOL_IN_USE',
    `The spool in ${directory} is in use by the process ${pid}.`,
    'Wait until that process has ended, or end it; a spool has one writer at a time.',
  );
}
