import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';

/** What looks like a code and is somebody else's: variables, and codes of Node, YAML, TLS and ClickHouse. */
const FOREIGN = new Set([
  'ADMIN_API_KEY',
  'BAD_ALIAS',
  'DUPLICATE_KEY',
  'ERR_ENCODING_INVALID_ENCODED_DATA',
  'ERR_HTTP_REQUEST_TIMEOUT',
  'ERR_MODULE_NOT_FOUND',
  'GATEWAY_DATA_DIR',
  'GATEWAY_HTTP_PORT',
  'GATEWAY_LOG_LEVEL',
  'GOLDEN_UPDATE',
  'HPE_HEADER_OVERFLOW',
  'MONGODB_DATABASE',
  'MONGODB_URI',
  'NODE_OPTIONS',
  'OPENSSL_CONF',
]);

/** Names of statuses that the HTTP server itself answers with. */
const OF_HTTP = new Set(
  Object.values(STATUS_CODES).map((phrase) => (phrase ?? '').toUpperCase().replace(/[^A-Z]+/g, '_')),
);

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') && !path.endsWith('.spec.ts') ? [path] : [];
  });
}

/** Every code that a source file writes: whatever looks like one, and whatever an error or a problem is made with. */
function codesIn(text: string): string[] {
  const looks = [...text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)];
  const made = [...text.matchAll(/(?:GatewayError\(|createProblem\(\s*\d+,)\s*'([A-Z][A-Z0-9_]*)'/g)];
  return [...looks, ...made].map((match) => match[1] ?? '');
}

describe('docs/reference/errors.md', () => {
  const files = ['apps', 'libs', 'plugins'].flatMap(sources);
  const written = new Set(files.flatMap((path) => codesIn(readFileSync(path, 'utf8'))));
  const rows = readFileSync('docs/reference/errors.md', 'utf8')
    .split('\n')
    .map((line) => /^\| `([A-Z0-9_]+)` \|(.*)\|$/.exec(line))
    .filter((row) => row !== null);
  const listed = rows.map((row) => row[1] ?? '');

  it('lists every code that the program shows', () => {
    expect(written.size).toBeGreaterThan(80);
    const missing = [...written].filter((code) => !listed.includes(code) && !FOREIGN.has(code));
    expect(missing).toEqual([]);
  });

  it('has an anchor for each', () => {
    const bare = rows.filter(
      ([, code = '', rest]) => rest?.includes(`<a id="${code.toLowerCase()}"></a>`) !== true,
    );
    expect(bare.map(([, code]) => code)).toEqual([]);
  });

  it('lists none that the program does not show, and none twice', () => {
    const stale = listed.filter((code) => !written.has(code) && !OF_HTTP.has(code));
    expect(stale).toEqual([]);
    expect(listed.filter((code, index) => listed.indexOf(code) !== index)).toEqual([]);
  });

  it('says of each what it means and what to do', () => {
    for (const row of rows) {
      const cells = (row[2] ?? '').split(' | ').map((cell) => cell.trim());
      expect([row[1], cells.filter((cell) => cell.length > 6).length >= 2]).toEqual([row[1], true]);
    }
  });

  it('excuses nothing that is not there', () => {
    expect([...FOREIGN].filter((code) => !written.has(code))).toEqual([]);
  });
});
