import { describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileEvent } from '../support/file-event.js';
import { gatewaysOfSuite } from '../support/gateways-of-suite.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';

const EVENTS = 2_000;

describe('a gateway that is killed with events that ClickHouse does not have yet', () => {
  const start = gatewaysOfSuite();

  /** An agent without Acks hands over events; when all are settled, the gateway is killed and started again. */
  async function stored(env: NodeJS.ProcessEnv): Promise<number> {
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-chaos-'));
    // At the interval's default of 10 s nothing is on its way to ClickHouse before the kill.
    const first = await start({ dataDir, env });
    const agent = await createTestCertificate({ commonName: 'PLAIN' });
    await enrollRaw(await first.agentPort(), agent, await first.token(), 'PLAIN');
    const stream = await RawAgent.connect(await first.agentPort(), agent);
    for (let i = 0; i < EVENTS; i += 1) {
      await stream.send(fileEvent('SPOOL', `p${i}`));
    }
    await pollUntil(
      'the gateway to have read them',
      async () => (await first.status()).pipelines[0]!.counts.received,
      (received) => received >= EVENTS,
    );
    first.kill('SIGKILL');
    await first.exited;
    await stream.whenClosed();
    const second = await pollUntil('the next start', () => start({ dataDir, env, keepData: true }));
    const count =
      "SELECT count() AS n, uniqExact(path) AS distinct FROM activity.file_events WHERE host = 'SPOOL'";
    let last = -1;
    // What is in the spool is written at once after a start; without one, nothing comes.
    await pollUntil(
      'the number to stand still',
      async () => {
        const before = last;
        last = Number((await second.sql(count))[0]!['n']);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return (
          before === last && (last === EVENTS || (await second.status()).pipelines[0]!.queue.entries === 0)
        );
      },
      Boolean,
      60_000,
    );
    expect(Number((await second.sql(count))[0]!['distinct'])).toBe(last);
    return last;
  }

  it('writes all of them after the next start', async () => {
    expect(await stored({})).toBe(EVENTS);
  }, 180_000);

  it('negative control: without the spool they are lost', async () => {
    expect(await stored({ GATEWAY_SPOOL_ENABLED: 'false' })).toBeLessThan(EVENTS);
  }, 180_000);
});
