import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { makeOwnCertificate } from './own-certificate.js';
import { checkServerCertificate, type ServerCertificate } from './server-certificate.js';

/** Where the server's certificate is, or where it is to be made. */
export interface TlsIdentityOptions {
  readonly certPath?: string;
  readonly keyPath?: string;
  readonly dataDir: string;
  readonly logger: Logger;
}

/**
 * Loads the server's certificate and key. Without the two paths, a self-signed pair is made once in
 * `<dataDir>/tls`, and loaded from there ever after: agents know the server by its key.
 * @throws GatewayError `TLS_CERTIFICATE_INVALID` or `TLS_CERTIFICATE_UNREADABLE`, naming the file
 */
export async function loadTlsIdentity(options: TlsIdentityOptions): Promise<ServerCertificate> {
  const { certPath, keyPath, own } = pairOf(options);
  return own ? loadOwn(certPath, keyPath, options.logger) : load(certPath, keyPath);
}

/**
 * Loads the pair anew, and never makes one: a pair of its own that is gone stays gone, as agents know the old key.
 * @throws GatewayError `TLS_CERTIFICATE_INVALID` or `TLS_CERTIFICATE_UNREADABLE`, naming the file
 */
export async function reloadTlsIdentity(options: TlsIdentityOptions): Promise<ServerCertificate> {
  const { certPath, keyPath } = pairOf(options);
  return load(certPath, keyPath);
}

/** The files whose change is worth a look. */
export function certificatePaths({ certPath, keyPath, dataDir }: TlsIdentityOptions): string[] {
  const configured = [certPath, keyPath].filter((path) => path !== undefined);
  return configured.length > 0 ? configured : ownPaths(dataDir);
}

function pairOf({ certPath, keyPath, dataDir }: TlsIdentityOptions): {
  readonly certPath: string;
  readonly keyPath: string;
  readonly own: boolean;
} {
  if (certPath !== undefined && keyPath !== undefined) return { certPath, keyPath, own: false };
  if (certPath !== undefined || keyPath !== undefined) {
    const [set, unset] = certPath === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    throw new GatewayError(
      'TLS_CERTIFICATE_INVALID',
      `The path of the server's ${set} is set, the path of its ${unset} is not.`,
      'Set SYSLOG_TLS_CERT_PATH and SYSLOG_TLS_KEY_PATH both, or neither.',
    );
  }
  const [ownCert, ownKey] = ownPaths(dataDir);
  return { certPath: ownCert, keyPath: ownKey, own: true };
}

function ownPaths(dataDir: string): [cert: string, key: string] {
  return [join(dataDir, 'tls', 'server.crt'), join(dataDir, 'tls', 'server.key')];
}

async function loadOwn(certPath: string, keyPath: string, logger: Logger): Promise<ServerCertificate> {
  if (!((await exists(certPath)) && (await exists(keyPath)))) {
    await made(certPath, keyPath);
    logger.info(
      { certificate: certPath },
      'No server certificate is configured: made a self-signed one, which agents recognise by their token',
    );
  }
  return load(certPath, keyPath);
}

async function made(certPath: string, keyPath: string): Promise<void> {
  try {
    await makeOwnCertificate(certPath, keyPath);
  } catch (error) {
    throw unreadable(`The server certificate ${certPath} cannot be written`, error);
  }
}

async function load(certPath: string, keyPath: string): Promise<ServerCertificate> {
  const cert = await read('server certificate', certPath);
  const key = await read('private key', keyPath);
  return checkServerCertificate({ certPath, keyPath, cert, key });
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw unreadable(`The file ${path} cannot be read`, error);
  }
}

async function read(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(`The ${what} ${path} cannot be read`, error);
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

function unreadable(what: string, error: unknown): GatewayError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new GatewayError(
    'TLS_CERTIFICATE_UNREADABLE',
    `${what}: ${CAUSES[code] ?? message}.`,
    'Check the path and the rights of the file.',
    { cause: error },
  );
}
