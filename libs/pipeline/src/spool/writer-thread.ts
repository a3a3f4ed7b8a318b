import { parentPort, workerData } from 'node:worker_threads';
import { applyChanges, openRoot, openTables, type DatabaseOptions, type SpoolDatabase } from './database.js';
import { LET_GO, unpack, type WriteAnswer, type WriteMessage } from './thread-writer.js';

// The thread of a `ThreadWriter`: applies one message after the other and says how each ended.
let database: SpoolDatabase | undefined = open();

function open(): SpoolDatabase {
  return openTables(openRoot(workerData as DatabaseOptions));
}

parentPort?.on('message', (message: WriteMessage | typeof LET_GO | undefined) => {
  if (message === undefined) void close().then(() => parentPort?.close());
  else if (message === LET_GO) void close().then(() => parentPort?.postMessage({} satisfies WriteAnswer));
  else parentPort?.postMessage({ ...write(message), buffer: message.buffer }, [message.buffer]);
});

function write(message: WriteMessage): WriteAnswer {
  try {
    database ??= open();
    applyChanges(database, unpack(message));
    return {};
  } catch (error) {
    const { message: text, code } = error as NodeJS.ErrnoException;
    return { error: { message: text, code } };
  }
}

async function close(): Promise<void> {
  const closed = database?.root.close();
  database = undefined;
  await closed;
}
