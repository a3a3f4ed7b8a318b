import { expect } from '@jest/globals';
import { AgentClient, loadOrCreateIdentity, parseToken } from '@activity-gateway/agent';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestGateway } from './gateway.js';

/**
 * A client of the agent library with a new key, enrolled as `AGENT`.
 * @param cleanUp given a step that removes the key's folder
 */
export async function enrollClient(
  gateway: TestGateway,
  cleanUp: (() => Promise<unknown>)[],
): Promise<AgentClient> {
  const dir = await mkdtemp(join(tmpdir(), 'agent-e2e-'));
  cleanUp.push(() => rm(dir, { recursive: true, force: true }));
  const identity = await loadOrCreateIdentity(dir, 'AGENT');
  const { code, serverSpki } = parseToken(await gateway.token());
  const client = new AgentClient({
    host: '127.0.0.1',
    port: await gateway.agentPort(),
    identity,
    serverSpki,
  });
  expect(await client.enroll({ code, agentHost: 'AGENT' })).toEqual({ status: 'Enrolled' });
  return client;
}
