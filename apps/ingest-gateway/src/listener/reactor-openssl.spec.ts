import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { reactorOpensslOptions } from './reactor-openssl.js';

/** Prints how many session tickets a TLS 1.3 client of this process gets before the first data. */
const COUNT_TICKETS = `
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:tls';
const [cert, key] = [readFileSync(process.argv[2]), readFileSync(process.argv[3])];
const server = createServer({ cert, key }, (socket) => socket.end('x')).listen(0, '127.0.0.1', () => {
  let tickets = 0;
  const client = connect({ port: server.address().port, host: '127.0.0.1', rejectUnauthorized: false });
  client.on('session', () => (tickets += 1));
  client.resume().on('close', () => { console.log(tickets); server.close(); });
});
`;

describe('reactorOpensslOptions', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'openssl-'));
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  it('makes a process send no session tickets', async () => {
    const { certPem, keyPem } = await createTestCertificate({ commonName: 'gateway' });
    const [script, cert, key] = ['tickets.mjs', 'cert.pem', 'key.pem'].map((name) => join(dataDir, name));
    await writeFile(script!, COUNT_TICKETS);
    await writeFile(cert!, certPem);
    await writeFile(key!, keyPem);
    const options = await reactorOpensslOptions(dataDir, { execArgv: [], env: {} });
    const run = promisify(execFile);
    expect((await run(process.execPath, [script!, cert!, key!])).stdout).toBe('2\n');
    expect((await run(process.execPath, [...options, script!, cert!, key!])).stdout).toBe('0\n');
  });

  it('leaves a configuration of the user alone', async () => {
    const none = { execArgv: [], env: {} };
    expect(await reactorOpensslOptions(dataDir, none)).toHaveLength(1);
    const variable = { ...none, env: { OPENSSL_CONF: '/etc/ssl/openssl.cnf' } };
    expect(await reactorOpensslOptions(dataDir, variable)).toEqual([]);
    const option = { ...none, execArgv: ['--openssl-config=/x'] };
    expect(await reactorOpensslOptions(dataDir, option)).toEqual([]);
  });
});
