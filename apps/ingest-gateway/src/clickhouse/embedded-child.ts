import { CONFINE_PROGRAM } from './embedded-confinement.js';

/**
 * The program of the embedded server's process, as CommonJS text for `node -e`: so it runs from the compiled program
 * and from the sources alike, and needs no file of its own.
 *
 * Arguments: path of `ffi-rs`, path of `libchdb.so`, the `Confinement` as JSON or `null`, then those of clickhouse-local. `chdb_query_cmdline` is
 * clickhouse-local's `main`; it runs in a thread of its own, so that this one sees the end of standard input, which is
 * when the gateway ends, however that happens. The process then kills itself: a kill loses nothing that ClickHouse has
 * acknowledged, and an orderly end waits for idle connections. The function returns by itself only when it has failed;
 * its result is not read: reading a null result ends the process with a fault.
 */
export const EMBEDDED_CHILD_PROGRAM = `
process.umask(0o077);
const end = () => process.kill(process.pid, 'SIGKILL');
process.stdin.on('error', end).on('close', end).resume();
const [ffi, library, confinement, ...options] = process.argv.slice(1);
const { open, load, DataType } = require(ffi);
open({ library: 'chdb', path: library });
const limits = JSON.parse(confinement);
try {
  if (limits !== null) confine(limits);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const argv = ['clickhouse', ...options];
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
  runInNewThread: true,
}).then(
  () => process.exit(1),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
${CONFINE_PROGRAM}`;

/** Name, in the server's working directory, of the file into which it writes the port that it listens on. */
export const PORT_FILE = 'http_port';

/**
 * What the server runs, as a user who may do nothing else: listen, say where, and wait for longer than the process lives.
 * A wait for standard input here would need the right to read any file.
 * @param before statements that run before the server listens
 */
export function embeddedServerQuery(before: readonly string[] = []): string {
  return [
    ...before,
    'SYSTEM START LISTEN HTTP',
    `SELECT getServerPort('http_port') INTO OUTFILE '${PORT_FILE}' TRUNCATE FORMAT TSV`,
    'SELECT sleep(3000000000) FORMAT Null SETTINGS function_sleep_max_microseconds_per_block = 0',
  ].join('; ');
}
