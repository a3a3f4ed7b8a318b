import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../../support/gateway.js';

const TIMES = 5;

/**
 * Starts the built gateway with its embedded ClickHouse until `/health/ready` says ok, several times, each with an empty data
 * directory and again on what is there then. Asked every 50 ms, so that times are up to 50 ms too long.
 */
export async function measureStarts(): Promise<{ firstMs: number[]; againMs: number[] }> {
  const firstMs: number[] = [];
  const againMs: number[] = [];
  for (let i = 0; i < TIMES; i += 1) {
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-bench-start-'));
    try {
      firstMs.push(await startOnce(dataDir));
      againMs.push(await startOnce(dataDir));
    } finally {
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  }
  return { firstMs, againMs };
}

async function startOnce(dataDir: string): Promise<number> {
  const start = performance.now();
  const gateway = await startGateway({ dataDir, keepData: true });
  const ms = Math.round(performance.now() - start);
  await gateway.stop();
  return ms;
}
