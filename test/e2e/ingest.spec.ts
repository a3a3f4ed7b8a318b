import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

const FAST = { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' };
const now = (): string => new Date().toISOString();

/** One event of each type, the first with fields that only the gateway may write. */
const fourEvents = (): (object | string)[] => [
  {
    TimeLogged: now(),
    ActivityType: 'FileSystem',
    Host: 'FS01',
    Operation: 'Rename',
    ObjectType: 'File',
    Path: 'D:\\Finance\\Übersicht №1.xlsx',
    NewPath: 'D:\\Finance\\q3.xlsx',
    UserName: 'CORP\\alice',
    ClientIP: '10.0.0.5',
    Success: 'True',
    agent_spki: 'forged',
    received_at: '1999-01-01',
    Unknown: { nested: true },
  },
  {
    CreationTime: now().replace('Z', ''),
    ActivityType: 'SharePointOnline',
    Operation: 'FileAccessed',
    RecordType: '6',
    UserType: '0',
    UserId: 'alice@contoso.example',
    ObjectId: 'https://contoso.example/doc.docx',
  },
  {
    TimeLogged: now(),
    ActivityType: 'Copilot',
    UserId: 'alice@contoso.example',
    Workload: 'Copilot',
    CopilotEventData: {
      AppHost: 'Word',
      Messages: [
        { Id: 'm1', Size: 10, isPrompt: true },
        { Id: 'm2', Size: 20, isPrompt: false },
      ],
      AccessedResources: [{ Id: 'r1', Name: 'a.docx', Type: 'docx' }],
    },
  },
  '<13>Nov 20 09:15:02 dc01 LEEF:1.0|Vendor|Product|1.0|Login|src=192.0.2.7\tusrName=bob\tsev=5',
];

describe('events of an agent', () => {
  let gateway: TestGateway;
  let agent: AgentCredentials & { spkiHash: string };
  let port: number;

  beforeAll(async () => {
    gateway = await startGateway({ env: FAST });
    agent = await createTestCertificate({ commonName: 'FS-AGENT-01' });
    port = await gateway.agentPort();
    const answer = await enrollRaw(port, agent, await gateway.token(), 'FS-AGENT-01');
    expect(answer).toEqual({
      MessageType: 'EnrollmentResponse',
      Status: 'Enrolled',
      SpkiHash: agent.spkiHash,
    });
  }, 60_000);
  afterAll(() => gateway.dispose(), 60_000);

  const stored = (table: string, where: string, count = 1): Promise<Record<string, unknown>[]> =>
    pollUntil(
      `${count} rows in ${table} where ${where}`,
      () => gateway.sql(`SELECT * FROM activity.${table} WHERE ${where}`),
      (rows) => rows.length >= count,
    );

  it('lands each of the four types in its table, stamped with what the gateway knows', async () => {
    const stream = await RawAgent.connect(port, agent);
    for (const event of fourEvents()) await stream.send(event);
    await stream.end();

    const [file] = await stored('file_events', "path LIKE '%№1%'");
    expect(file).toMatchObject({
      operation: 'Rename',
      path: 'D:\\Finance\\Übersicht №1.xlsx',
      new_path: 'D:\\Finance\\q3.xlsx',
      client_ip: '::ffff:10.0.0.5',
      success: true,
      agent_spki: agent.spkiHash,
      agent_host: 'FS-AGENT-01',
      source_ip: '::ffff:127.0.0.1',
    });
    expect(JSON.parse(String(file!['extra']))).toMatchObject({
      Unknown: { nested: true },
      agent_spki: 'forged',
      received_at: '1999-01-01',
    });
    expect(String(file!['received_at'])).not.toContain('1999');
    expect(String(file!['ingest_batch'])).toMatch(/^[\w-]+\/[\w-]+\/\d+$/);

    const [sharepoint] = await stored('sharepoint_events', "user_id = 'alice@contoso.example'");
    expect(sharepoint).toMatchObject({
      event_type: 'FileAccessed',
      source: 'SharePointFileOperation',
      user_type: 'Regular',
    });
    const [copilot] = await stored('copilot_events', '1');
    expect(copilot).toMatchObject({
      app_host: 'Word',
      'messages.id': ['m1', 'm2'],
      'messages.is_prompt': [true, false],
      'resources.name': ['a.docx'],
    });
    const [leef] = await stored('leef_events', "user_name = 'bob'");
    expect(leef).toMatchObject({ vendor: 'Vendor', event_id: 'Login', severity: 5, syslog_host: 'dc01' });
  }, 60_000);

  it('frames lines across any chunk border, also inside a UTF-8 character', async () => {
    const marker = 'split-é€😀';
    const line = Buffer.from(
      `${JSON.stringify({ TimeLogged: now(), ActivityType: 'FileSystem', Host: 'FS02', Operation: 'Read', Path: marker, UserName: 'u' })}\r\n`,
    );
    const stream = await RawAgent.connect(port, agent);
    stream.socket.setNoDelay(true);
    for (const byte of line) await stream.sendBytes(Uint8Array.of(byte));
    await stream.end();
    const rows = await stored('file_events', "host = 'FS02'");
    expect(rows.map((row) => row['path'])).toEqual([marker]);
  }, 60_000);

  it('takes a last line without a line end as a message when the stream ends cleanly', async () => {
    const stream = await RawAgent.connect(port, agent);
    await stream.sendBytes(
      JSON.stringify({
        TimeLogged: now(),
        ActivityType: 'FileSystem',
        Host: 'FS03',
        Operation: 'Read',
        Path: 'p',
        UserName: 'u',
      }),
    );
    await stream.end();
    await stored('file_events', "host = 'FS03'");
  }, 60_000);

  it('puts bad events into the dead letters with code, field and the raw line, and keeps the connection', async () => {
    const stream = await RawAgent.connect(port, agent);
    const bad = {
      TimeLogged: 'yesterday',
      ActivityType: 'FileSystem',
      Host: 'FS04',
      Operation: 'Read',
      Path: 'p',
      UserName: 'u',
    };
    const missing = {
      TimeLogged: now(),
      ActivityType: 'FileSystem',
      Host: 'FS04',
      Operation: 'Read',
      UserName: 'u',
    };
    const unknown = { TimeLogged: now(), ActivityType: 'SqlServer', Host: 'FS04' };
    for (const event of [bad, missing, unknown]) await stream.send(event);
    await stream.sendBytes(
      Buffer.concat([
        Buffer.from('{"ActivityType":"FileSystem","Host":"FS04\xff', 'latin1'),
        Buffer.from('"}\n'),
      ]),
    );
    await stream.send({ ...missing, Path: 'good after bad' });
    await stream.end();

    await stored('file_events', "host = 'FS04' AND path = 'good after bad'");
    const letters = await stored('dead_letters', "raw LIKE '%FS04%' OR raw_encoding = 'base64'", 4);
    const codes = letters.map(({ stage, code, field, event_type }) => [stage, code, field, event_type]);
    expect(codes).toEqual(
      expect.arrayContaining([
        ['validate', 'bad_time', '/TimeLogged', 'file'],
        ['validate', 'missing_key', '/Path', 'file'],
        ['parse', 'unknown_activity_type', '/ActivityType', ''],
      ]),
    );
    expect(letters.map((letter) => letter['raw'])).toContain(JSON.stringify(bad));
    expect(letters.find((letter) => letter['code'] === 'invalid_utf8')).toMatchObject({
      stage: 'frame',
      raw_encoding: 'base64',
    });
    expect(gateway.log()).toContain('nam writer: unknown activity type, dropped');
    expect(gateway.log()).not.toContain('yesterday');
  }, 60_000);

  it('shows them over REST, newest first, and counts them', async () => {
    const events = await gateway.rest<object[]>(
      'GET',
      '/api/v1/activity/events?type=file&host=FS01&limit=10',
    );
    expect(events.status).toBe(200);
    expect(events.body[0]).toMatchObject({ type: 'file', user_name: 'CORP\\alice', client_ip: '10.0.0.5' });
    const all = await gateway.rest<{ event_time: string }[]>('GET', '/api/v1/activity/events?user=ALICE');
    const times = all.body.map((event) => event.event_time);
    expect(times.length).toBeGreaterThanOrEqual(3);
    expect(times).toEqual([...times].sort().reverse());
    const summary = await gateway.rest('GET', '/api/v1/activity/summary');
    expect(summary.status).toBe(200);
  }, 60_000);
});
