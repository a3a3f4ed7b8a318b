import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAM, type TestGateway } from '../support/gateway.js';
import { gatewaysOfSuite } from '../support/gateways-of-suite.js';
import { pollUntil } from '../support/poll.js';
import type { ActivitySummary } from '../../apps/ingest-gateway/src/clickhouse/types.js';
import { installStranger, type Stranger } from '../support/stranger.js';

const ROWS = 250;

let stranger: Stranger;
beforeAll(async () => {
  stranger = await installStranger();
  const tsc = await stranger.node('node_modules/typescript/bin/tsc', '-p', '.');
  expect(tsc).toEqual({ code: 0, output: '' });
}, 60_000);
afterAll(() => rm(stranger.folder, { recursive: true, force: true }));

/** Imports an entry of the packed library in a process of the stranger's; gives what that says. */
const importing = (entry: string): ReturnType<Stranger['node']> =>
  stranger.node('--input-type=module', '--eval', `await import('@activity-gateway/pipeline/${entry}')`);

/** Rows that the sink has put into the files of a destination. */
async function rows(directory: string, destination: string): Promise<Record<string, unknown>[]> {
  const folder = join(directory, destination);
  if (!existsSync(folder)) return [];
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ndjson'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => text.trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a plugin package outside of the repository', () => {
  const start = gatewaysOfSuite();

  it('installs no native code, and nothing that only programs need', async () => {
    expect(
      stranger.packed.filter((name) => /\.(node|spec\.js|tsx?)$/.test(name) && !name.endsWith('.d.ts')),
    ).toEqual([]);
    const [api, helpers, host] = await Promise.all(['api', 'helpers', 'host'].map(importing));
    expect([api, helpers]).toEqual([
      { code: 0, output: '' },
      { code: 0, output: '' },
    ]);
    // The program's part does need them: what is not there would be missed.
    expect(host?.code).not.toBe(0);
    expect(host?.output).toMatch(/Cannot find package '(lmdb|pino|prom-client)/);
  });

  it('passes the contract kit', async () => {
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const { code, output } = await stranger.node(
      ...jest,
      '--rootDir',
      'dist',
      '--config',
      '{"transform":{}}',
    );
    expect(code === 0 ? '' : output).toBe('');
    expect(Number(/Tests: +(\d+) passed, \1 total/.exec(output)?.[1])).toBeGreaterThan(30);
  }, 120_000);

  it('is loaded from plugins: by the built program, and stores events of its event type', async () => {
    const { config, out, blocked } = await configure();
    const checked = await stranger.node(PROGRAM, 'validate', config);
    expect(checked.output).toContain('Plugins of door-events 1.4.0 (');
    expect(checked.output).toContain('sources.door_log, parsers.door, sinks.door_file');
    const gateway = await start({ waitReady: false, env: { GATEWAY_CONFIG: config } });
    await pollUntil(
      'the rows',
      () => rows(out, 'door_events'),
      (found) => found.length >= ROWS,
    );
    const stored = await rows(out, 'door_events');
    expect(stored.map(({ badge }) => badge).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: ROWS }, (_, badge) => badge),
    );
    const letters = await pollUntil(
      'the dead letter',
      () => rows(out, 'dead_letters'),
      (found) => found.length > 0,
    );
    expect(letters).toMatchObject([{ code: 'no_json', pipeline: 'doors' }]);
    const [table] = await pollUntil(
      'its own table',
      () => gateway.sql('SELECT count() AS n, uniqExact(badge) AS badges FROM activity.door_events'),
      ([found]) => Number(found?.['n']) >= ROWS,
    );
    expect([Number(table?.['n']), Number(table?.['badges'])]).toEqual([ROWS, ROWS]);
    await shownByRest(gateway);
    expect(gateway.log()).toMatch(/Plugin package loaded/);
    expect(gateway.log()).toMatch(/"?package"?[:=] ?"?door-events/);
    // Thrown by the package's own copy of the API, and known for what it is: the next action is a person's.
    const instances = await pollUntil(
      'the sink that can write nowhere',
      async () => (await gateway.status()).pipelines.flatMap((pipeline) => pipeline.instances),
      (all) => all.some(({ id, state }) => id === 'blocked/door_file' && state === 'failed'),
    );
    expect(instances.find(({ id }) => id === 'blocked/door_file')?.reason).toContain(blocked);
  }, 90_000);

  it('is refused with its place when it is made for another version of the API', async () => {
    const module = join(stranger.folder, 'later.mjs');
    const definition = "{ id: 'sinks.later', kind: 'sink', apiVersion: 2 }";
    await writeFile(module, `export const plugins = [${definition}];\n`);
    const config = join(stranger.folder, 'later.yaml');
    await writeFile(config, 'log: { level: info }\nplugins:\n  - ./later.mjs\n');
    const { code, output } = await stranger.node(PROGRAM, 'validate', config);
    expect(code).toBe(1);
    expect(output).toContain(
      'later.yaml:3:5: `plugins[0]`: the package "./later.mjs" has sinks.later for version 2',
    );
    expect((await stranger.node(PROGRAM, 'run', config)).code).toBe(1);
  });
});

/** REST knows the type of the plugin's events. */
async function shownByRest(gateway: TestGateway): Promise<void> {
  const summary = await gateway.rest<ActivitySummary>('GET', '/api/v1/activity/summary');
  expect(summary.body.types['door']).toEqual({ events: ROWS, lastEventTime: '2026-11-20T12:00:00.249Z' });
  const newest = await gateway.rest<object[]>('GET', '/api/v1/activity/events?type=door&limit=1');
  expect(newest).toMatchObject({ status: 200, body: [{ type: 'door', badge: ROWS - 1, door: 'North 1' }] });
  expect((await gateway.rest('GET', '/api/v1/activity/events?type=window')).status).toBe(400);
}

/** A configuration with two pipelines of the stranger's; the sink of the second can write nowhere. */
async function configure(): Promise<{ config: string; out: string; blocked: string }> {
  const folder = join(stranger.folder, 'config');
  const [out, blocked] = [join(folder, 'out'), join(folder, 'blocked')];
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  await mkdir(join(folder, 'node_modules'));
  await symlink(stranger.package, join(folder, 'node_modules/door-events'));
  await writeFile(blocked, 'a file where a directory has to be');
  const log = Array.from({ length: ROWS }, (_, badge) =>
    JSON.stringify({ at: 1_795_176_000_000 + badge, door: 'North 1', badge, opened: true }),
  );
  await writeFile(join(folder, 'door.log'), `${log.join('\n')}\nnonsense\n`);
  for (const [name, directory] of Object.entries({ doors: out, blocked })) {
    await writeFile(
      join(folder, 'pipelines', `${name}.yaml`),
      `name: ${name}
source: { use: sources.door_log, with: { path: ${join(folder, 'door.log')} } }
steps: [{ use: parsers.door }]
sinks:
  - { use: sinks.door_file, with: { directory: ${directory} } }
${name === 'doors' ? '  - { use: sinks.clickhouse, name: clickhouse }\n' : ''}`,
    );
  }
  const config = join(folder, 'gateway.yaml');
  await writeFile(
    config,
    `data_dir: \${GATEWAY_DATA_DIR:-./data}
http: { port: "\${GATEWAY_HTTP_PORT:-0}" }
plugins: [door-events]
settings:
  activitymonitor_tcp_port: 0
  activitymonitor_reactor_threads: 1
  activitymonitor_batch_interval_seconds: 1
`,
  );
  return { config, out, blocked };
}
