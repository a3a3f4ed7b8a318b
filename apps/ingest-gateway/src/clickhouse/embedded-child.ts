/**
 * The program of the embedded server's process, as CommonJS text for `node -e`: so it runs from the compiled program
 * and from the sources alike, and needs no file of its own.
 *
 * Arguments: path of `ffi-rs`, path of `libchdb.so`, then those of clickhouse-local. `chdb_query_cmdline` is
 * clickhouse-local's `main`: it returns when its last query is done, which here waits for the end of standard input.
 * Its result is not read: reading a null result ends the process with a fault.
 */
export const EMBEDDED_CHILD_PROGRAM = `
const [ffi, library, ...options] = process.argv.slice(1);
const { open, load, DataType } = require(ffi);
open({ library: 'chdb', path: library });
const argv = ['clickhouse', ...options];
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
});
process.exit(0);
`;

/** Name, in the server's working directory, of the file into which it writes the port that it listens on. */
export const PORT_FILE = 'http_port';

/**
 * What the server runs: listen, say where, and live until standard input ends, which is when the gateway ends, however
 * that happens. It has to be `file('-')`: `/dev/stdin` fails on the socket that Node.js gives a child.
 */
export const EMBEDDED_SERVER_QUERY = [
  'SYSTEM START LISTEN HTTP',
  `SELECT getServerPort('http_port') INTO OUTFILE '${PORT_FILE}' TRUNCATE FORMAT TSV`,
  "SELECT count() FROM file('-', 'LineAsString', 'line String') FORMAT Null",
].join('; ');
