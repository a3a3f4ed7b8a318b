import { randomUUID } from 'node:crypto';
import { GatewayError } from '../api/index.js';
import { ownIdentity, stateOf, type ProcessIdentity } from '../helpers/index.js';
import type { SpoolDatabase } from './database.js';

interface Owner extends ProcessIdentity {
  readonly id: string;
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
  const own: Owner = { id: randomUUID(), ...ownIdentity() };
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

/** A holder on another machine or in another container is gone: the data directory has its own lock, which looks after that. */
function lives(owner: Owner): boolean {
  if (stateOf(owner) !== 'running') return false;
  return owner.pid !== process.pid || held.has(owner.id);
}

function inUse(directory: string, { pid }: Owner): GatewayError {
  return new GatewayError(
    'SPOOL_IN_USE',
    `The spool in ${directory} is in use by the process ${pid}.`,
    'Wait until that process has ended, or end it; a spool has one writer at a time.',
  );
}
