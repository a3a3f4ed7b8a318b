import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AnswerProxy, type Answering, type ProxiedRequest } from '../support/answer-proxy.js';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { pollUntil } from '../support/poll.js';
import { Dice, suiteSeed } from './dice.js';
import { Scene } from './scene.js';
import { KEPT } from './verdict.js';

const SUMMARY = { 'x-clickhouse-summary': '{"read_rows":"1000000","written_rows":"1000000"}' };
const EXCEPTION = 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)';

/** What somebody between the gateway and ClickHouse may say: status, headers, text. Rows may be stored or not. */
const ANSWERS: readonly (readonly [number, Record<string, string>, string])[] = [
  [200, { 'content-type': 'text/html' }, '<html>Scheduled maintenance</html>'],
  [200, {}, ''],
  [200, SUMMARY, EXCEPTION],
  [200, { 'x-clickhouse-summary': '{"read_rows":"1","written_rows":"1"}' }, ''],
  [200, { ...SUMMARY, 'x-clickhouse-exception-code': '241' }, ''],
  [204, SUMMARY, ''],
  [301, { location: 'http://127.0.0.1:1/' }, ''],
  [407, {}, 'Proxy authentication required'],
  [413, {}, 'Request entity too large'],
  [429, { 'retry-after': '1' }, ''],
  [500, {}, EXCEPTION],
  [502, { 'content-type': 'text/html' }, '<html>Bad gateway</html>'],
  [504, {}, 'Gateway timeout'],
];
/** Different answers, by status and by when the rows come. */
const ENOUGH = 10;
/** One insert of this number is passed on as it is. */
const PASSED = 4;

describe(`a proxy before ClickHouse that answers by itself, seed ${suiteSeed}`, () => {
  let clickhouse: TestClickHouse;
  let proxy: AnswerProxy;
  let scene: Scene;
  const given = new Set<string>();
  beforeEach(async () => {
    clickhouse = await startTestClickHouse();
    proxy = await AnswerProxy.start(clickhouse.endpoint.url);
    scene = await Scene.start({ env: { CLICKHOUSE_URL: proxy.url }, requestTimeout: '2s' });
  }, 60_000);
  afterEach(async () => {
    await scene.dispose();
    await proxy.close();
    await clickhouse.stop();
  }, 120_000);

  /** Answers in place of ClickHouse, which has the rows already, gets them later, or never. */
  function answering(dice: Dice): Answering {
    const index = Math.floor(dice.pick(ANSWERS.map((_, at) => at)));
    const [status, headers, text] = ANSWERS[index]!;
    const order = dice.pick(['before', 'after', 'never'] as const);
    given.add(`${status} ${order}`);
    return async ({ forward, response }: ProxiedRequest) => {
      if (order === 'after') await forward();
      response.writeHead(status, headers).end(text);
      if (order === 'before') await forward().catch(() => undefined);
    };
  }

  it('costs and doubles nothing, and its answers are named', async () => {
    const dice = new Dice(suiteSeed);
    proxy.choose = ({ statement }) =>
      statement.startsWith('INSERT') && dice.pick(Array.from({ length: PASSED }, (_, n) => n > 0))
        ? answering(dice)
        : undefined;
    // A sink that gets no answer waits longer each time.
    await pollUntil(
      'enough answers',
      () => given.size,
      (size) => size >= ENOUGH,
      60_000,
    );
    proxy.choose = () => undefined;
    expect(scene.log()).toMatch(/HTTP \d+, /);
    const verdict = await scene.finish();
    expect(verdict).toMatchObject(KEPT);
    expect(verdict.acknowledged).toBe(verdict.sent);
  }, 180_000);

  it('and tables that operators change under the stream cost and double nothing', async () => {
    const table = 'activity.file_events';
    await clickhouse.run(
      `CREATE MATERIALIZED VIEW activity.fails ENGINE = Memory AS
       SELECT throwIf(length(path) > 0, 'no') AS x FROM ${table}`,
    );
    await pollUntil('the view to be named', async () =>
      JSON.stringify(await scene.gateway.status()).includes('activity.fails'),
    );
    await clickhouse.run('DROP VIEW activity.fails SYNC');
    await clickhouse.run(`ALTER TABLE ${table} ADD COLUMN note_of_operator String DEFAULT host`);
    await scene.untilAcknowledged(500);
    await clickhouse.run(`ALTER TABLE ${table} MODIFY COLUMN source_ip DEFAULT '::1'`);
    await clickhouse.run(`RENAME TABLE ${table} TO activity.kept`);
    // A batch that was refused for good is tried again every half minute.
    await pollUntil(
      'the table to be made again',
      () => clickhouse.rows(`SELECT 1 FROM ${table} LIMIT 1`).catch(() => []),
      ({ length }) => length > 0,
      90_000,
    );
    await clickhouse.run(`INSERT INTO ${table} SELECT * EXCEPT note_of_operator FROM activity.kept`);
    const verdict = await scene.finish();
    expect(verdict).toMatchObject(KEPT);
    expect(verdict.acknowledged).toBe(verdict.sent);
  }, 180_000);
});
