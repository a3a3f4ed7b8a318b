import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { PROGRAM, startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

const DAY = 86_400_000;

let dataDir: string;
let agent: AgentCredentials;
let gateway: TestGateway;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'retention-e2e-'));
  agent = await createTestCertificate({ commonName: 'FS-AGENT-01' });
}, 60_000);
afterAll(async () => {
  await gateway?.dispose();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

async function start(days: string, waitReady = true): Promise<void> {
  await gateway?.stop();
  const env = { CLICKHOUSE_RETENTION_DAYS: days, CLICKHOUSE_DEAD_LETTER_RETENTION_DAYS: days };
  gateway = await startGateway({
    dataDir,
    waitReady,
    env: { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1', ...env },
  });
}

/** Sends file events of these ages in days, and one that is no event. */
async function send(ages: readonly number[]): Promise<void> {
  const events = ages.map((age, n) => ({
    TimeLogged: new Date(Date.now() - age * DAY).toISOString(),
    ActivityType: 'FileSystem',
    Host: 'FS01',
    Operation: 'Read',
    Path: `D:\\file ${n}`,
    UserName: 'CORP\\alice',
  }));
  const stream = await RawAgent.connect(await gateway.agentPort(), agent);
  for (const event of [...events, { ActivityType: 'FileSystem' }]) {
    await stream.sendBytes(`${JSON.stringify(event)}\n`);
  }
  await stream.end();
}

async function stored(files: number, deadLetters: number): Promise<void> {
  await pollUntil(
    `${files} events and ${deadLetters} dead letters`,
    async () => {
      const { body } = await gateway.rest<{
        types: { file: { events: number } };
        deadLetters: { total: number };
      }>('GET', '/api/v1/activity/summary');
      return [body.types?.file.events, body.deadLetters?.total];
    },
    (counts) => counts[0] === files && counts[1] === deadLetters,
    30_000,
  );
}

/** `gateway retention ...` as a user types it. */
function command(action: string): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, GATEWAY_DATA_DIR: dataDir, ADMIN_API_KEY: '', NODE_OPTIONS: '' };
  return new Promise((done) => {
    execFile(
      process.execPath,
      [PROGRAM, 'retention', action, '--url', gateway.httpUrl],
      { env },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

interface Readiness {
  readonly status: string;
  readonly components: { readonly clickhouse: { readonly status: string; readonly reason?: string } };
}
const readiness = async (): Promise<Readiness> =>
  (await (await fetch(`${gateway.httpUrl}/health/ready`)).json()) as Readiness;

it('keeps events and dead letters for a retention that is too long for a TTL, however old they are', async () => {
  await start('36500');
  await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'FS-AGENT-01');
  await send([0, 100, 9_000]);
  await stored(3, 1);
}, 120_000);

it('writes what waits by itself when tables were dropped', async () => {
  const before = Date.now();
  await gateway.sql('DROP TABLE activity.file_events SYNC');
  await send([0, 100, 9_000]);
  // Nobody asks the gateway, which would be a reason to look at once.
  await pollUntil(
    'the events to be written',
    () => gateway.sql('SELECT 1 FROM activity.file_events').catch(() => []),
    (rows) => rows.length === 3,
    30_000,
  );
  await stored(3, 2);
  expect(Date.now() - before).toBeLessThan(25_000);
  expect(gateway.log()).toContain('ClickHouse lacks what was migrated; migrating again');
}, 120_000);

it('keeps history when the retention gets shorter, says what would go, and deletes it when told to', async () => {
  await start('30', false);
  const degraded = await pollUntil(
    'the gateway to say what would go',
    readiness,
    ({ components }) => components.clickhouse.reason?.includes('would delete') === true,
  );
  expect(degraded.status).toBe('degraded');
  expect(degraded.components.clickhouse.reason).toBe(
    'file_events keeps all rows; the configured 30 days would delete 2 rows. Run `gateway retention apply` to confirm, or set the retention back.',
  );
  expect(gateway.log()).toContain('Retention change waits for gateway retention apply');
  await stored(3, 2);
  expect(await command('show')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/file_events +kept +30 d +2\n.*gateway retention apply/),
  });
  expect(await command('apply')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/file_events +kept +30 d +2\n.*in the background/),
  });
  expect((await readiness()).components.clickhouse).toEqual({ status: 'ok' });
  await stored(1, 2);
  expect(await command('apply')).toMatchObject({ out: 'Every table has the configured retention.\n' });
  const { body } = await gateway.rest<unknown[]>('GET', '/api/v1/audit?action=retention.apply');
  expect(body.at(-1)).toMatchObject({
    action: 'retention.apply',
    target: 'file_events',
    actor: { id: 'bootstrap' },
    outcome: 'ok',
    before: [{ table: 'file_events', days: 0 }],
    after: [{ table: 'file_events', days: 30, deletedRows: 2 }],
  });
  expect(await command('aply')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean "apply"?'),
  });
}, 120_000);
