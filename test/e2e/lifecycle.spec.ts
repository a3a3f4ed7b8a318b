import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { spawnSync } from 'node:child_process';
import { chmod, chown, lstat, mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, commandOf } from '../support/processes.js';
import { startTestClickHouse } from '../support/clickhouse.js';
import { startGateway, freePort, PROGRAM, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { gatewaysOfSuite } from '../support/gateways-of-suite.js';
import { fileEvent } from '../support/file-event.js';
import { pollUntil } from '../support/poll.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

const NOBODY = 65_534;

/** What in a data directory the group or others may open. */
async function openToOthers(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir, { recursive: true });
  const found = ['.', ...names].map(async (name) => {
    // ClickHouse renames and removes parts all the time.
    const entry = await lstat(join(dataDir, name)).catch(() => undefined);
    const closed = entry === undefined || entry.isSymbolicLink() || (entry.mode & 0o77) === 0;
    return closed ? [] : [name];
  });
  return (await Promise.all(found)).flat();
}

describe('the life of a gateway', () => {
  const start = gatewaysOfSuite();

  const enroll = async (gateway: TestGateway): Promise<AgentCredentials> => {
    const agent = await createTestCertificate({ commonName: 'AGENT' });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'AGENT');
    return agent;
  };
  const count = async (gateway: TestGateway, host: string): Promise<number> =>
    Number(
      (await gateway.sql(`SELECT count() AS n FROM activity.file_events WHERE host = '${host}'`))[0]!['n'],
    );

  it('writes what it holds when it is told to stop, and keeps agents, certificate and events over a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
    const first = await start({ dataDir, launcher: 'npm' });
    const pidFile = join(dataDir, 'run', 'gateway.pid');
    expect((await stat(pidFile)).mode & 0o777).toBe(0o600);
    expect((await first.status()).pid).toBe(first.pid);
    const agent = await enroll(first);
    const spki = (await first.status()).listener.certificate.spkiHash;
    const stream = await RawAgent.connect(await first.agentPort(), agent);
    for (let i = 0; i < 250; i += 1) await stream.send(fileEvent('DRAIN', `p${i}`));
    await pollUntil(
      'the gateway to have read them',
      async () => (await first.status()).pipelines[0]!.counts.received,
      (received) => received >= 250,
    );
    // The default interval is 10 s: these events are in memory, and only the drain can have written them.
    expect(await openToOthers(dataDir)).toEqual([]);
    const processes = [first.pid, ...childrenOf(first.pid)];
    expect(processes.length).toBeGreaterThan(2);
    expect(await first.stop()).toBe(0);
    expect(processes.filter(runs)).toEqual([]);
    await stream.whenClosed();
    await expect(stat(pidFile)).rejects.toThrow('ENOENT');

    const second = await start({ dataDir });
    expect((await second.status()).listener.certificate.spkiHash).toBe(spki);
    expect(await count(second, 'DRAIN')).toBe(250);
    expect((await second.rest('GET', '/api/v1/nam-listener/agents')).body).toMatchObject([
      { hostname: 'AGENT', eventsReceived: 250 },
    ]);
    const again = await RawAgent.connect(await second.agentPort(), agent);
    await again.send(fileEvent('AGAIN', 'p'));
    await again.end();
    second.kill('SIGTERM');
    expect(await second.exited).toBe(0);

    const third = await start({ dataDir });
    expect(await count(third, 'AGAIN')).toBe(1);
    third.kill('SIGKILL');
    await third.exited;
    const fourth = await start({ dataDir });
    expect(await count(fourth, 'DRAIN')).toBe(250);
  }, 120_000);

  /** Only root can be another user, who has to be able to read the program: not so below a directory of mode 0700. */
  const readable = (): boolean =>
    spawnSync('test', ['-r', PROGRAM], { uid: NOBODY, gid: NOBODY }).status === 0;
  const asOther = process.getuid?.() === 0 && readable() ? it : it.skip;
  asOther(
    "runs as another user in root's directory with that user's group, as on a Kubernetes volume (needs root, and a program that others can read)",
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
      await chown(dataDir, 0, NOBODY);
      await chmod(dataDir, 0o2770);
      const gateway = await start({ dataDir, as: { uid: NOBODY, gid: NOBODY } });
      expect(await count(gateway, 'ANY')).toBe(0);
      expect((await stat(dataDir)).mode & 0o7777).toBe(0o2770);
      expect(gateway.log().match(/Data directory belongs to another user/g)).toHaveLength(1);
      expect(await openToOthers(dataDir)).toEqual(['.']);
      // A member of the volume's group may list the directory, and nothing more.
      const member = { uid: NOBODY - 1, gid: NOBODY, encoding: 'utf8' } as const;
      expect(spawnSync('ls', [dataDir], member).stdout).toContain('admin.key');
      for (const name of ['admin.key', 'run/clickhouse.curl', 'clickhouse/config.xml', 'tls/server.key']) {
        expect(spawnSync('cat', [join(dataDir, name)], member).stderr).toContain('Permission denied');
      }
      const url = (await gateway.status()).clickhouse.url;
      const asking = 'fetch(process.argv[1]).then((answer) => console.log(answer.status))';
      const query = `${url}/?query=SELECT%20version()`;
      expect(spawnSync(process.execPath, ['-e', asking, query], member).stdout.trim()).toBe('404');
      await gateway.stop();
    },
    60_000,
  );

  // How a terminal is made differs between systems.
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux(
    'goes on after SIGHUP, and stops gracefully when its terminal closes',
    async () => {
      const gateway = await start({ launcher: 'terminal', waitReady: false });
      const processes = [gateway.pid, ...childrenOf(gateway.pid)];
      process.kill(gateway.pid, 'SIGHUP');
      await pollUntil('the line', () => gateway.log().includes('reload is not supported'));
      expect((await fetch(`${gateway.httpUrl}/health/live`)).status).toBe(200);
      gateway.kill('SIGKILL');
      await pollUntil('the end of all processes', () => processes.every((pid) => !runs(pid)));
      // Removed by a graceful stop alone.
      await expect(stat(join(gateway.dataDir, 'run', 'gateway.pid'))).rejects.toThrow('ENOENT');
    },
    60_000,
  );

  describe('whose processes are killed', () => {
    let gateway: TestGateway;
    let agent: AgentCredentials;
    beforeAll(async () => {
      gateway = await startGateway({ env: { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' } });
      agent = await enroll(gateway);
    }, 60_000);
    afterAll(() => gateway?.dispose(), 60_000);

    it('refuses a second gateway on one data directory', async () => {
      await expect(startGateway({ dataDir: gateway.dataDir, keepData: true })).rejects.toThrow(
        /data directory|in use|another gateway/i,
      );
      expect((await gateway.status()).listener.state).toBe('listening');
    }, 60_000);

    it('restarts a reactor that is killed; agents reconnect and administration stays up', async () => {
      const stream = await RawAgent.connect(await gateway.agentPort(), agent);
      await stream.send(fileEvent('KILL', 'before'));
      const reactors = async (): Promise<GatewayStatus['listener']['reactors']> =>
        (await gateway.status()).listener.reactors;
      const serving = await pollUntil('the reactor that serves the agent', async () =>
        (await reactors()).find(({ connections }) => connections === 1),
      );
      process.kill(serving!.pid, 'SIGKILL');
      await stream.whenClosed();
      await pollUntil('another reactor', reactors, (now) =>
        now.every(({ pid, state }) => state === 'ready' && pid !== serving!.pid),
      );
      const again = await RawAgent.connect(await gateway.agentPort(), agent);
      await again.send(fileEvent('KILL', 'after'));
      await again.end();
      await pollUntil(
        'the event',
        () => count(gateway, 'KILL'),
        (n) => n >= 1,
      );
    }, 60_000);

    it('starts its ClickHouse again when that is killed, and loses no event it holds', async () => {
      const pid = await clickhousePid(gateway);
      process.kill(pid, 'SIGKILL');
      const stream = await RawAgent.connect(await gateway.agentPort(), agent);
      for (let i = 0; i < 500; i += 1) await stream.send(fileEvent('CH', `p${i}`));
      await stream.end();
      await pollUntil(
        'all events',
        () => count(gateway, 'CH'),
        (n) => n === 500,
        45_000,
      );
    }, 90_000);
  });

  it('takes events while its ClickHouse is down at the start, and writes them when it comes', async () => {
    const chPort = await freePort();
    const env = { CLICKHOUSE_URL: `http://127.0.0.1:${chPort}`, ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' };
    const gateway = await start({ env, waitReady: false });
    await pollUntil(
      'the listener',
      async () => (await gateway.status()).listener.state,
      (s) => s === 'listening',
    );
    const ready = await fetch(`${gateway.httpUrl}/health/ready`);
    expect(ready.status).toBe(200);
    expect(((await ready.json()) as { status: string }).status).toBe('degraded');
    const agent = await enroll(gateway);
    const stream = await RawAgent.connect(await gateway.agentPort(), agent);
    for (let i = 0; i < 300; i += 1) await stream.send(fileEvent('LATE', `p${i}`));
    await stream.end();

    const clickhouse = await startTestClickHouse();
    const late = await TcpProxy.start(Number(new URL(clickhouse.endpoint.url).port), chPort);
    late.open();
    try {
      const sql = "SELECT count() AS n FROM activity.file_events WHERE host = 'LATE'";
      await pollUntil(
        'all events in the late server',
        async () => Number((await clickhouse.rows(sql))[0]!['n']),
        (n) => n === 300,
        60_000,
      );
    } finally {
      await gateway.stop();
      await late.close();
      await clickhouse.stop();
    }
  }, 120_000);

  it('does not listen with a certificate that cannot be used, says why, and runs on', async () => {
    const env = {
      SYSLOG_TLS_CERT_PATH: '/nonexistent/server.crt',
      SYSLOG_TLS_KEY_PATH: '/nonexistent/server.key',
    };
    const gateway = await start({ env, waitReady: false });
    const status = await pollUntil(
      'the reason',
      async () => (await gateway.status()).listener,
      (listener) => listener.reason !== undefined,
    );
    expect(status.reason).toContain('/nonexistent/server.crt');
    expect(gateway.log()).toContain('Failed to start NAM Listener');
    expect((await fetch(`${gateway.httpUrl}/health/ready`)).status).toBe(503);
    expect((await gateway.rest('GET', '/api/v1/nam-listener/agents')).body).toEqual([]);
  }, 60_000);
});

function runs(pid: number): boolean {
  return commandOf(pid) !== '';
}

async function clickhousePid(gateway: TestGateway): Promise<number> {
  const reactors = (await gateway.status()).listener.reactors.map((each) => each.pid);
  const pid = childrenOf(gateway.pid).find((each) => !reactors.includes(each));
  if (pid === undefined) throw new Error('The gateway has no ClickHouse process.');
  return pid;
}
