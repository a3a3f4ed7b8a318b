import { parentPort, workerData } from 'node:worker_threads';
import { applyChanges, openRoot, openTables, type DatabaseOptions } from './database.js';
import { unpack, type WriteAnswer, type WriteMessage } from './thread-writer.js';

// The thread of a `ThreadWriter`: applies one message after the other and says how each ended.
const database = openTables(openRoot(workerData as DatabaseOptions));

parentPort?.on('message', (message: WriteMessage | undefined) => {
  if (message === undefined) return void close();
  parentPort?.postMessage(write(message));
});

function write(message: WriteMessage): WriteAnswer {
  try {
    applyChanges(database, unpack(message));
    return {};
  } catch (error) {
    const { message: text, code } = error as NodeJS.ErrnoException;
    return { error: { message: text, code } };
  }
}

async function close(): Promise<void> {
  await database.root.close();
  parentPort?.close();
}
