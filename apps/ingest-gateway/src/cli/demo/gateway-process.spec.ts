import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from './gateway-process.js';

let dir: string;
let logFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gateway-process-'));
  logFile = join(dir, 'data', 'gateway.log');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const never = new AbortController().signal;

function start(script: string): Promise<GatewayProcess> {
  return GatewayProcess.start({
    args: ['-e', script],
    env: process.env,
    dataDir: join(dir, 'data'),
    logFile,
  });
}

async function logged(text: string): Promise<void> {
  const deadline = Date.now() + 4_000;
  while (!(await readFile(logFile, 'utf8').catch(() => '')).includes(text)) {
    if (Date.now() > deadline) throw new Error(`the log never said ${text}`);
    await sleep(10);
  }
}

describe('GatewayProcess', () => {
  it('tells the last lines of one that died', async () => {
    const script =
      'for (let n = 0; n < 50; n++) console.log("line " + n); console.error("why"); process.exitCode = 3';
    const gateway = await start(script);
    const error: Error = await gateway.died().catch((reason: Error) => reason);
    expect(error.message).toContain('ended with exit code 3');
    expect(error.message).toContain('line 49');
    expect(error.message).toContain('why');
    expect(error.message).not.toContain('line 0\n');
    await gateway.stop(never);
  });

  it('lets it end in order, twice if need be', async () => {
    const gateway = await start(
      'process.on("SIGTERM", () => { console.log("drained"); process.exit(0); }); setInterval(() => {}, 1000); console.log("up")',
    );
    await logged('up');
    await Promise.all([gateway.stop(never), gateway.stop(never)]);
    await logged('drained');
  });

  it('kills one that does not end, when it is told to', async () => {
    const gateway = await start(
      'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")',
    );
    await logged('up');
    const abort = new AbortController();
    const stopped = gateway.stop(abort.signal);
    abort.abort();
    await stopped;
  });
});
