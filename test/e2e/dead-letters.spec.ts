import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM, startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

const FAST = { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' };
const DAY = 86_400_000;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
}, 60_000);

async function start(env: NodeJS.ProcessEnv = {}, dataDir?: string): Promise<TestGateway> {
  const gateway = await startGateway({ env: { ...FAST, ...env }, ...(dataDir && { dataDir }) });
  cleanUp.push(() => gateway.dispose());
  return gateway;
}

async function enroll(gateway: TestGateway, name: string): Promise<AgentCredentials & { spkiHash: string }> {
  const agent = await createTestCertificate({ commonName: name });
  await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), name);
  return agent;
}

function fileEvent(n: number, time = Date.now()): object {
  return {
    TimeLogged: new Date(time).toISOString(),
    ActivityType: 'FileSystem',
    Host: 'FS01',
    Operation: 'Read',
    Path: `D:\\file ${n}`,
    UserName: 'CORP\\alice',
    FileSize: n,
  };
}

async function send(gateway: TestGateway, agent: AgentCredentials, events: readonly object[]): Promise<void> {
  const stream = await RawAgent.connect(await gateway.agentPort(), agent);
  for (let from = 0; from < events.length; from += 500) {
    const lines = events.slice(from, from + 500).map((event) => `${JSON.stringify(event)}\n`);
    await stream.sendBytes(lines.join(''));
  }
  await stream.end();
}

interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `gateway dead-letters ...` as a user types it. */
function command(gateway: TestGateway, ...args: string[]): Promise<CommandResult> {
  const env = { ...process.env, GATEWAY_DATA_DIR: gateway.dataDir, ADMIN_API_KEY: '', NODE_OPTIONS: '' };
  return new Promise((done) => {
    execFile(
      process.execPath,
      [PROGRAM, 'dead-letters', ...args, '--url', gateway.httpUrl],
      { env },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const numberOf = async (gateway: TestGateway, query: string): Promise<number> =>
  Number(Object.values((await gateway.sql(query))[0]!)[0]);
const files = (gateway: TestGateway): Promise<number> =>
  numberOf(gateway, 'SELECT count() FROM activity.file_events');
const settled = async (
  gateway: TestGateway,
  received: number,
): Promise<GatewayStatus['pipelines'][number]['counts']> =>
  pollUntil(
    `${received} events to have ended`,
    async () => (await gateway.status()).pipelines[0]!.counts,
    (counts) => counts.received === received && counts.inFlight === 0,
    60_000,
  );

describe('a bad row in 10,000', () => {
  it('is the only dead letter, and is stored once when the table is fixed', async () => {
    const gateway = await start();
    const agent = await enroll(gateway, 'FS-AGENT-01');
    await gateway.sql('ALTER TABLE activity.file_events ADD CONSTRAINT odd CHECK file_size != 7777');
    await send(
      gateway,
      agent,
      Array.from({ length: 10_000 }, (_, n) => fileEvent(n)),
    );
    const counts = await settled(gateway, 10_000);
    expect(counts).toMatchObject({ delivered: 9_999, deadLettered: 1, dropped: 0 });
    expect(await files(gateway)).toBe(9_999);
    // Counted once the row is durable in the spool; its insert is the next one.
    const deadLetters = await pollUntil(
      'the dead letter in ClickHouse',
      async () =>
        (await gateway.rest<{ deadLetters: Record<string, unknown>[] }>('GET', '/api/v1/dead-letters')).body
          .deadLetters,
      ({ length }) => length > 0,
    );
    expect(deadLetters).toEqual([
      expect.objectContaining({
        stage: 'sink',
        code: 'violated_constraint',
        field: '/file_size',
        agent_host: 'FS-AGENT-01',
        agent_spki: agent.spkiHash,
        source_ip: '127.0.0.1',
        raw_encoding: 'row',
        destination: 'file_events',
      }),
    ]);
    expect(JSON.parse(deadLetters[0]!['raw'] as string)).toMatchObject({
      path: 'D:\\file 7777',
      file_size: 7777,
    });

    const refused = await command(gateway, 'replay');
    expect([refused.code, refused.out]).toEqual([1, expect.stringMatching(/refused again +1\n[^]*469/)]);
    expect(await files(gateway)).toBe(9_999);

    await gateway.sql('ALTER TABLE activity.file_events DROP CONSTRAINT odd');
    const replayed = await command(gateway, 'replay');
    expect([replayed.code, replayed.err]).toEqual([0, '']);
    expect(replayed.out).toMatch(/^ *replayed +1\n/);
    expect(
      await gateway.sql(
        'SELECT path, file_size, agent_host FROM activity.file_events WHERE file_size = 7777',
      ),
    ).toEqual([{ path: 'D:\\file 7777', file_size: expect.anything(), agent_host: 'FS-AGENT-01' }]);
    // A replay that could not note what it did: the next one finds the event stored.
    await gateway.sql(
      'ALTER TABLE activity.dead_letters UPDATE replayed_at = NULL WHERE 1 SETTINGS mutations_sync = 1',
    );
    expect((await command(gateway, 'replay', '--json')).out).toContain('"replayed":0,"alreadyStored":1');
    expect((await command(gateway, 'replay', '--json')).out).toContain('"replayed":0,"alreadyStored":0');
    expect(await files(gateway)).toBe(10_000);
  }, 180_000);
});

describe('events that a parser refused', () => {
  it('are stored under their agent after the parser was fixed, however often they are replayed', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'dead-letters-e2e-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const strict = await start({ CLICKHOUSE_RETENTION_DAYS: '30' }, dataDir);
    const agent = await enroll(strict, 'FS-AGENT-02');
    const old = Array.from({ length: 20 }, (_, n) => fileEvent(n, Date.now() - 60 * DAY));
    const bad = { ...fileEvent(20), Path: undefined };
    await send(strict, agent, [...old, bad]);
    expect(await settled(strict, 21)).toMatchObject({ delivered: 0, deadLettered: 21 });
    const [letter] = await strict.sql<{ received_at: string }>(
      'SELECT received_at FROM activity.dead_letters ORDER BY received_at LIMIT 1',
    );
    await strict.stop();

    const gateway = await start({ CLICKHOUSE_RETENTION_DAYS: '400' }, dataDir);
    const summary = await command(gateway, 'summary');
    expect(summary.out).toMatch(/missing_key \(validate\) +1 +0/);
    const first = await command(gateway, 'replay', '--json');
    expect(JSON.parse(first.out)).toMatchObject({ replayed: 20, refused: 1, failed: 0, skipped: 0 });
    const second = await command(gateway, 'replay', '--json');
    expect(JSON.parse(second.out)).toMatchObject({ replayed: 0, refused: 1, skipped: 20 });
    expect(await files(gateway)).toBe(20);
    const stamps = await gateway.sql<Record<string, string>>(
      'SELECT DISTINCT agent_spki, agent_host, received_at FROM activity.file_events',
    );
    expect(stamps[0]).toEqual({
      agent_spki: agent.spkiHash,
      agent_host: 'FS-AGENT-02',
      received_at: letter!.received_at,
    });

    const list = await command(gateway, 'list', '--replayed', 'no');
    expect(list.out).toContain('missing_key');
    expect(list.out.trimEnd().split('\n')).toHaveLength(2);
    const id = /[0-9a-f-]{36}/.exec(list.out)![0];
    const shown = JSON.parse((await command(gateway, 'show', id)).out) as { raw: string };
    expect(JSON.parse(shown.raw)).toMatchObject({ ActivityType: 'FileSystem', Host: 'FS01' });
    const out = join(dataDir, 'export.ndjson');
    expect((await command(gateway, 'export', '--out', out)).code).toBe(0);
    expect((await readFile(out, 'utf8')).trimEnd().split('\n')).toHaveLength(21);
    expect((await command(gateway, 'show', 'nonsense')).code).toBe(1);
    expect((await command(gateway, 'shwo')).err).toContain('Did you mean "show"?');
    const other = join(dataDir, 'other.key');
    await writeFile(other, 'another-key');
    expect((await command(gateway, 'list', '--key-file', other)).err).toContain('UNAUTHORIZED');
    expect((await command(gateway, 'list', '--key-file', out)).err).toMatch(
      /holds no admin key. \(CLI_KEY_UNREADABLE\)\n$/,
    );
  }, 180_000);
});

describe('a table that is missing', () => {
  it('pauses its sink and alerts; nothing becomes a dead letter, and nothing is lost', async () => {
    const gateway = await start();
    const agent = await enroll(gateway, 'FS-AGENT-03');
    await send(gateway, agent, [fileEvent(0)]);
    await settled(gateway, 1);
    await gateway.sql('RENAME TABLE activity.file_events TO activity.away');
    await send(gateway, agent, [fileEvent(1), fileEvent(2)]);
    // The gateway creates the table again within seconds: its alert is what stays to be seen.
    const alert = await pollUntil(
      'the alert',
      () => /.*Write rejected; batch kept.*/.exec(gateway.log())?.[0],
    );
    expect(alert).toMatch(/UNKNOWN_TABLE|does not exist/);
    const metrics = await (await fetch(`${gateway.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/gateway_sink_writes_total\{[^}]*outcome="permanent"[^}]*\} [1-9]/);
    expect(await settled(gateway, 3)).toMatchObject({ delivered: 3, deadLettered: 0, dropped: 0 });
    expect(await numberOf(gateway, 'SELECT count() FROM activity.dead_letters')).toBe(0);
    expect([await files(gateway), await numberOf(gateway, 'SELECT count() FROM activity.away')]).toEqual([
      2, 1,
    ]);
  }, 180_000);
});
