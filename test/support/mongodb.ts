import { describe } from '@jest/globals';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { MongoMemoryServer } from 'mongodb-memory-server-core';

/** A MongoDB for one spec. */
export interface TestMongo {
  readonly uri: string;
  /** Ends what the test has started, and removes its data. */
  dispose(): Promise<void>;
}

/** A MongoDB server that belongs to one spec, which may break it. */
export interface OwnTestMongo extends TestMongo {
  readonly port: number;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and the same data. */
  restart(): Promise<void>;
}

const given = process.env['MONGODB_URI'] || undefined;
const binary = findMongod();

/** Suites over any MongoDB: `MONGODB_URI`, else a server of their own. Skipped, visibly, where there is neither. */
export function describeWithMongo(name: string, suite: () => void): void {
  describeIf(given !== undefined || binary !== undefined, 'MONGODB_URI is not set', name, suite);
}

/** Suites that break the server, and so need one of their own. */
export function describeWithOwnMongo(name: string, suite: () => void): void {
  describeIf(binary !== undefined, 'these tests need a server of their own', name, suite);
}

function describeIf(possible: boolean, why: string, name: string, suite: () => void): void {
  if (possible) return void describe(name, suite);
  const missing = `No MongoDB for "${name}": ${why}, and there is no mongod (MONGOD_BINARY, PATH).`;
  if (process.env['REQUIRE_MONGODB'] === '1') throw new Error(missing);
  process.stderr.write(`SKIPPED. ${missing}\n`);
  describe.skip(name, suite);
}

/** The MongoDB of `MONGODB_URI`, else a server of the test's own. */
export async function startMongo(): Promise<TestMongo> {
  return given === undefined ? startOwnMongo() : { uri: given, dispose: async () => undefined };
}

/** A name that no other test uses. */
export function freshDatabase(): string {
  return `gateway_test_${randomBytes(6).toString('hex')}`;
}

/** Runs an action with a client of the test's own. */
export async function withClient<T>(uri: string, action: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri);
  try {
    return await action(client);
  } finally {
    await client.close();
  }
}

/** Removes a database. */
export async function dropDatabase(uri: string, name: string): Promise<void> {
  await withClient(uri, (client) => client.db(name).dropDatabase());
}

/** Starts a standalone server with an empty directory, on a port that the system chooses. */
export async function startOwnMongo(): Promise<OwnTestMongo> {
  const dbPath = await mkdtemp(join(tmpdir(), 'mongod-'));
  let server = await launch(dbPath);
  const port = server.instanceInfo?.port ?? 0;
  return {
    uri: server.getUri(),
    port,
    kill: () => kill(server),
    restart: async () => {
      await server.stop({ doCleanup: false });
      server = await launch(dbPath, port);
    },
    dispose: async () => {
      await server.stop({ doCleanup: false });
      await rm(dbPath, { recursive: true, force: true });
    },
  };
}

async function launch(dbPath: string, port?: number): Promise<MongoMemoryServer> {
  process.env['MONGOMS_SYSTEM_BINARY_VERSION_CHECK'] = 'false';
  const server = await MongoMemoryServer.create({
    binary: { systemBinary: binary ?? '' },
    instance: {
      dbPath,
      storageEngine: 'wiredTiger',
      ...(port !== undefined && { port, portGeneration: false }),
    },
    // What a server that is killed leaves behind goes with its data.
    spawn: { env: { ...process.env, TMPDIR: dbPath } },
  });
  const taken = server.instanceInfo?.port;
  if (port === undefined || port === taken) return server;
  await server.stop({ doCleanup: false });
  throw new Error(`The port ${port} was taken meanwhile`);
}

async function kill(server: MongoMemoryServer): Promise<void> {
  const child = server.instanceInfo?.instance.mongodProcess;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

/** `MONGOD_BINARY`, the PATH, or a test engine in a directory beside the project. */
function findMongod(): string | undefined {
  const named = process.env['MONGOD_BINARY'];
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'mongod'));
  const candidates = [...(named ? [named] : []), ...onPath, resolve('../shared/bin/mongod')];
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
