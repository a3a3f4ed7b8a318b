import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { makeCertificate, SIGNED_WITH, type SignatureAlgorithm } from '../../../test/support/certificates.js';
import { SourceRig, until } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const REQUEST = `${JSON.stringify({
  MessageType: 'EnrollmentRequest',
  EnrollmentCode: 'abc',
  AgentHost: 'FS-AGENT-01',
})}\n`;

let server: TestCertificate;
let agent: TestCertificate;
let rig: SourceRig;

beforeAll(async () => {
  server = await createTestCertificate({ commonName: 'gateway' });
  agent = await createTestCertificate({ commonName: 'agent' });
});

beforeEach(async () => {
  rig = new SourceRig({
    server,
    agent,
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
  });
  await rig.start();
});

afterEach(() => rig.stop());

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

describe('keys of agents', () => {
  it.each<[string, () => KeyObject, SignatureAlgorithm]>([
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey, SIGNED_WITH.ed25519],
    ['Ed448', () => generateKeyPairSync('ed448').privateKey, SIGNED_WITH.ed448],
    ['ECDSA P-256', () => ec('P-256'), SIGNED_WITH.ecdsaSha256],
    ['ECDSA P-384', () => ec('P-384'), SIGNED_WITH.ecdsaSha256],
    ['ECDSA P-521', () => ec('P-521'), SIGNED_WITH.ecdsaSha256],
    ['RSA', rsa, SIGNED_WITH.rsaSha256],
    [
      'RSA-PSS',
      () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
      SIGNED_WITH.rsaPssSha256,
    ],
    ['RSA, the certificate signed with SHA-1', rsa, SIGNED_WITH.rsaSha1],
    ['ECDSA, the certificate signed with SHA-1', () => ec('P-256'), SIGNED_WITH.ecdsaSha1],
  ])('enroll: %s', async (_kind, makeKey, signedWith) => {
    const { certPem, keyPem, spkiHash } = makeCertificate({
      commonName: 'agent',
      key: makeKey(),
      signedWith,
    });
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const client = await rig.connect({ cert: certPem, key: keyPem });
    client.socket.write(REQUEST);
    await client.closed;
    expect(client.received).toContain(`"Status":"Enrolled","SpkiHash":"${spkiHash}"`);
    expect(rig.bans()).toEqual([]);
  });

  const weak: [string, () => KeyObject, SignatureAlgorithm, string][] = [
    [
      'RSA of 1024 bits',
      () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
      SIGNED_WITH.rsaSha256,
      'the RSA key has 1024 bits, at least 2048 are needed',
    ],
    [
      'RSA-PSS of 1024 bits',
      () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey,
      SIGNED_WITH.rsaPssSha256,
      'the RSA key has 1024 bits, at least 2048 are needed',
    ],
    [
      'ECDSA with explicit curve parameters',
      () => generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).privateKey,
      SIGNED_WITH.ecdsaSha256,
      'the key has explicit curve parameters, a named curve is needed',
    ],
  ];
  // The peer may have a lower security level than this version of Node.
  const ciphers = 'DEFAULT@SECLEVEL=0';

  it.each(weak)('do not enroll, and the answer says why: %s', async (_kind, makeKey, signedWith, reason) => {
    const { certPem, keyPem } = makeCertificate({ commonName: 'agent', key: makeKey(), signedWith });
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const client = await rig.connect({ cert: certPem, key: keyPem, ciphers });
    client.socket.write(REQUEST);
    await client.closed;
    expect(JSON.parse(client.received)).toMatchObject({
      Status: 'Rejected',
      Error: 'MalformedRequest',
      Message: `The certificate cannot be enrolled: ${reason}.`,
    });
    expect(rig.context.services.enrollments).toEqual([]);
  });

  it.each(weak)(
    'that are enrolled already go on streaming, with a warning: %s',
    async (...[, makeKey, signedWith, reason]) => {
      const { certPem, keyPem, spkiHash } = makeCertificate({
        commonName: 'agent',
        key: makeKey(),
        signedWith,
      });
      rig.context.services.allowlist.set(new Map([[spkiHash, { spkiHash, hostname: 'OLD' }]]));
      const client = await rig.connect({ cert: certPem, key: keyPem, ciphers });
      client.socket.write('{"ActivityType":"FileSystem","Path":"a"}\n');
      await until(() => rig.batches.length === 1, 'the event');
      expect(rig.context.logger.lines).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          message: 'Agent has a weak key; give it a new one and enroll it again',
          fields: expect.objectContaining({ spkiHash, reason }),
        }),
      );
    },
  );

  it('are asked for with the signature algorithms of docs/reference/protocol.md, and no others', async () => {
    const { socket } = await rig.connect();
    expect([...new Set(socket.getSharedSigalgs().map((name) => name.toLowerCase()))]).toEqual([
      'ed25519+undef',
      'ed448+undef',
      'ecdsa+sha256',
      'ecdsa+sha384',
      'ecdsa+sha512',
      'rsa-pss+sha256',
      'rsa-pss+sha384',
      'rsa-pss+sha512',
    ]);
  });

  it('that none of the signature algorithms fits bring no certificate', async () => {
    const key = ec('secp256k1');
    const { certPem, keyPem } = makeCertificate({
      commonName: 'agent',
      key,
      signedWith: SIGNED_WITH.ecdsaSha256,
    });
    const client = await rig.connect({ cert: certPem, key: keyPem });
    await client.closed;
    await rig.closed('no_client_certificate');
  });
});

describe('key exchange', () => {
  it.each(['X25519', 'P-256', 'P-384'])('takes %s', async (group) => {
    const { socket } = await rig.connect({ ecdhCurve: group });
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.authorizationError).toBeDefined();
    expect(socket.getPeerCertificate().subject.CN).toBe('gateway');
  });

  // One finite-field exchange of 8192 bits takes a hundred times what X25519 takes, and a peer can replay its first message.
  it.each(['ffdhe2048', 'ffdhe3072', 'ffdhe8192', 'X448', 'P-521'])('refuses %s', async (group) => {
    const client = await rig.connect({ ecdhCurve: group });
    await client.closed;
    expect(client.error).toMatchObject({ code: expect.stringContaining('HANDSHAKE_FAILURE') });
    await rig.closed('handshake_failed');
    expect(rig.bans()).toEqual([]);
  });
});
