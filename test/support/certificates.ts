import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
  type SigningOptions,
} from 'node:crypto';
import { spkiHash } from '@activity-gateway/activity';

/** How a certificate is signed: the DER AlgorithmIdentifier (RFC 5280 4.1.1.2), and how Node makes the signature. */
export interface SignatureAlgorithm {
  readonly identifier: Buffer;
  readonly digest: string | null;
  readonly options?: SigningOptions;
}

const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  if (content.length < 128) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const digits = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 128 + digits.length), digits, content]);
};
const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const integer = (value: number): Buffer => der(0x02, Buffer.of(value));
const NULL = der(0x05);

/** A DER OBJECT IDENTIFIER. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((part) => {
    const digits = [part & 127];
    for (let high = part >> 7; high > 0; high >>= 7) digits.unshift(128 | (high & 127));
    return digits;
  });
  return der(0x06, Buffer.from([40 * first + second, ...bytes]));
}

const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'), NULL);
const PSS_PARAMETERS = sequence(
  der(0xa0, SHA256),
  der(0xa1, sequence(oid('1.2.840.113549.1.1.8'), SHA256)),
  der(0xa2, integer(32)),
);

/** Signature algorithms by name. */
export const SIGNED_WITH = {
  ed25519: { identifier: sequence(oid('1.3.101.112')), digest: null },
  ed448: { identifier: sequence(oid('1.3.101.113')), digest: null },
  ecdsaSha256: { identifier: sequence(oid('1.2.840.10045.4.3.2')), digest: 'sha256' },
  ecdsaSha1: { identifier: sequence(oid('1.2.840.10045.4.1')), digest: 'sha1' },
  rsaSha256: { identifier: sequence(oid('1.2.840.113549.1.1.11'), NULL), digest: 'sha256' },
  rsaSha1: { identifier: sequence(oid('1.2.840.113549.1.1.5'), NULL), digest: 'sha1' },
  rsaPssSha256: {
    identifier: sequence(oid('1.2.840.113549.1.1.10'), PSS_PARAMETERS),
    digest: 'sha256',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  },
} as const satisfies Record<string, SignatureAlgorithm>;

/** What a certificate is made from. */
export interface CertificateOptions {
  readonly commonName: string;
  /** The private key whose public part is certified. */
  readonly key: KeyObject;
  readonly signedWith: SignatureAlgorithm;
  /** The signer; the certificate is self-signed by default. */
  readonly issuer?: { readonly commonName: string; readonly key: KeyObject };
}

/** A certificate over any kind of key, with its private key, both PEM, and the identity of the peer that shows it. */
export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly spkiHash: string;
}

/** Makes an X.509 v3 certificate without extensions, valid from 2020 to 2049. */
export function makeCertificate({ commonName, key, signedWith, issuer }: CertificateOptions): Certificate {
  const signer = issuer ?? { commonName, key };
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const tbs = toBeSigned({ commonName, issuerName: signer.commonName, spki, signedWith });
  const options: SigningOptions = 'options' in signedWith ? (signedWith.options ?? {}) : {};
  const signature = sign(signedWith.digest, tbs, { key: signer.key, ...options });
  const whole = sequence(tbs, signedWith.identifier, der(0x03, Buffer.of(0), signature));
  const certificate = new X509Certificate(whole);
  return {
    certPem: certificate.toString(),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    spkiHash: spkiHash(certificate),
  };
}

/** A chain whose certificates are linked by name, and whose keys and signatures are chosen to be dear to verify. */
export interface ForgedChain extends Pick<Certificate, 'certPem' | 'keyPem'> {
  /** Size of all its certificates, DER, bytes. */
  readonly bytes: number;
}

/**
 * Makes a chain that anybody can make: of its keys only the leaf's (ECDSA P-256) exists. Each other one is a random RSA
 * modulus with a random public exponent, so that each signature, which is random too, costs what the modulus and the
 * exponent cost.
 * @param options `linked: false` gives the certificates names that do not lead from one to the next
 */
export function forgeChain(options: {
  readonly certificates: number;
  readonly modulusBits: number;
  /** 3 takes 65537. */
  readonly exponentBytes: number;
  readonly linked?: boolean;
}): ForgedChain {
  const { certificates, modulusBits, exponentBytes, linked = true } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const chain = Array.from({ length: certificates }, (_, i) => {
    const spki = i === 0 ? leaf : randomRsaKey(modulusBits, exponentBytes);
    const signature = randomBytes(modulusBits / 8);
    // Smaller than any modulus of this size: a greater one would be refused without a calculation.
    signature[0] = 0;
    const issuerName = linked ? `c${i + 1}` : 'nobody';
    const tbs = toBeSigned({ commonName: `c${i}`, issuerName, spki, signedWith: SIGNED_WITH.rsaSha256 });
    return sequence(tbs, SIGNED_WITH.rsaSha256.identifier, der(0x03, Buffer.of(0), signature));
  });
  return {
    certPem: chain.map((each) => new X509Certificate(each).toString()).join(''),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    bytes: chain.reduce((sum, { length }) => sum + length, 0),
  };
}

/** A DER SubjectPublicKeyInfo of an RSA key that nobody has. */
function randomRsaKey(modulusBits: number, exponentBytes: number): Buffer {
  const modulus = randomBytes(modulusBits / 8);
  modulus[0] = 0xff;
  modulus[modulus.length - 1]! |= 1;
  const exponent = exponentBytes === 3 ? Buffer.of(1, 0, 1) : randomBytes(exponentBytes);
  // Positive, odd, and smaller than the modulus, which OpenSSL asks for.
  exponent[0] = (exponent[0]! & 0x7f) | 1;
  exponent[exponent.length - 1]! |= 1;
  const key = sequence(der(0x02, Buffer.of(0), modulus), der(0x02, exponent));
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), NULL), der(0x03, Buffer.of(0), key));
}

function toBeSigned(parts: {
  readonly commonName: string;
  readonly issuerName: string;
  readonly spki: Buffer;
  readonly signedWith: SignatureAlgorithm;
}): Buffer {
  return sequence(
    der(0xa0, integer(2)),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    parts.signedWith.identifier,
    name(parts.issuerName),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
    name(parts.commonName),
    parts.spki,
  );
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}
