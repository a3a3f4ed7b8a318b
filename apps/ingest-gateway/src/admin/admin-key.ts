import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { writePrivateFile } from '../private-files.js';
import { createSecret, hashSecret, sameHash } from '../secrets.js';
import type { InstallationRepository } from '../store/index.js';

const HASH = 'admin_key_hash';
const FILE = 'admin.key';
const SHORT_KEY = 16;

/** Where the admin key of an installation comes from. */
export interface AdminKeyOptions {
  /** `ADMIN_API_KEY`; without it, one is made once. */
  readonly configured?: string;
  readonly installation: InstallationRepository;
  readonly dataDir: string;
  readonly logger: Logger;
}

/** The key that the admin API asks for. Only its hash is held. */
export class AdminKey {
  private constructor(
    private readonly hash: string,
    /** Where its clear text was written; `undefined` when it was configured. */
    readonly file: string | undefined,
  ) {}

  /**
   * Takes the configured key, or the one made earlier. When its file is gone or holds another key, a new key is made:
   * deleting the file and restarting is how a lost key is replaced.
   * @throws GatewayError `DATA_DIR_UNUSABLE` when the file cannot be written
   */
  static async load({ configured, installation, dataDir, logger }: AdminKeyOptions): Promise<AdminKey> {
    if (configured !== undefined) {
      if (configured.length < SHORT_KEY) {
        logger.warn({}, 'ADMIN_API_KEY is short; use a longer random one');
      }
      return new AdminKey(hashSecret(configured), undefined);
    }
    const file = join(dataDir, FILE);
    const stored = await installation.get(HASH);
    const written = await readKey(file);
    if (stored !== undefined && written !== undefined && sameHash(stored, hashSecret(written))) {
      return new AdminKey(stored, file);
    }
    const key = createSecret();
    await writeKey(file, key);
    await installation.set(HASH, hashSecret(key));
    const why = stored === undefined ? '' : ' The earlier one, whose file is gone, is no longer valid.';
    logger.info({ file }, `An admin key was made and written to a file.${why}`);
    return new AdminKey(hashSecret(key), file);
  }

  /** Whether a text is the key. Takes the same time for every wrong one. */
  readonly matches = (key: string): boolean => sameHash(this.hash, hashSecret(key));
}

/** The key that an `Authorization` header carries. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(file, error as Error);
  }
}

async function writeKey(file: string, key: string): Promise<void> {
  try {
    await writePrivateFile(file, `${key}\n`);
  } catch (error) {
    throw unusable(file, error as Error);
  }
}

function unusable(file: string, error: Error): GatewayError {
  return new GatewayError(
    'DATA_DIR_UNUSABLE',
    `The admin key file ${file} cannot be used: ${error.message}`,
    'Make sure that this user may read and write there, or set ADMIN_API_KEY.',
    { cause: error },
  );
}
