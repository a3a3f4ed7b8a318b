import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

const FOLDERS = ['apps', 'libs', 'plugins', 'test/contract'];
/** What a spec imports or calls that starts an engine or the gateway. */
const ENGINE = /\/support\/(clickhouse|mongodb|gateway)\.js|embedded-(server|child)/;

/** Patterns of the specs that start ClickHouse, MongoDB or the built gateway: `npm run test:fast` leaves them out. */
export function engineSpecs() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
  )
    .filter((path) => path.endsWith('.spec.ts') && !path.includes('node_modules'))
    .filter((path) => ENGINE.test(readFileSync(path, 'utf8')))
    .map((path) => `/${path.replaceAll(sep, '/').replaceAll('.', '\\.')}$`);
}
