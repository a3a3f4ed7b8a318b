// The second half of `npm run build`. Puts the compiled gateway and what it imports into the few files of `dist/gateway`:
// to find and open more than eight hundred modules one by one took it most of the time of a start
// (docs/explanation/adr/0021-bundled-program.md). All files lie in one folder, as `src/entry-points.ts` and the spool's thread expect.
import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { build } from 'rolldown';

const COMPILED = ['dist', 'libs/pipeline/dist', 'libs/activity/dist', 'libs/agent/dist'].map(
  (dir) => resolve(dir) + sep,
);

/** Loaded from `node_modules` when the program runs. */
const EXTERNAL = [
  // Native code, or files of their own beside their modules.
  ...['lmdb', 'pino', 'pino-pretty'],
  // Loaded only where it is configured.
  'mongodb',
  // Asked for by packages that do without: they are not installed.
  /^@nestjs\/(microservices|websockets|platform-express)(\/|$)/,
  /^class-(validator|transformer)(\/|$)/,
  ...['@fastify/multipart', '@fastify/view'],
];

/** Passes on the maps of the compiled files, which are not followed otherwise: stack traces name the TypeScript sources. */
const mapsOfCompiled = {
  name: 'maps-of-compiled',
  async load(id) {
    if (!COMPILED.some((dir) => id.startsWith(dir))) return null;
    const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')]);
    return { code, map: JSON.parse(map) };
  },
};

await build({
  input: {
    main: 'dist/apps/ingest-gateway/src/main.js',
    'reactor.main': 'dist/apps/ingest-gateway/src/reactor.main.js',
    'writer-thread': 'libs/pipeline/dist/spool/writer-thread.js',
  },
  platform: 'node',
  external: EXTERNAL,
  plugins: [mapsOfCompiled],
  output: {
    dir: 'dist/gateway',
    cleanDir: true,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // The sources' text is in the repository.
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
  onLog(level, log, tell) {
    // It would be missed only when the program runs.
    if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    tell(level, log);
  },
});
