/** Who may import whom: docs/explanation/architecture.md, Rooms. Each comment says what to do instead. */
const PIPELINE = '^libs/pipeline/src';
const room = (name) => `${PIPELINE}/${name}/`;
const SPEC = '\\.spec\\.ts$';

/** A room of the pipeline library may import only the listed rooms besides itself. */
const only = (name, allowed, comment) => ({
  name: `pipeline-${name}`,
  comment,
  severity: 'error',
  from: { path: room(name), pathNot: SPEC },
  to: {
    path: '^(libs|apps|plugins|test)/',
    pathNot: [name, ...allowed].map((each) => (each.startsWith('^') ? each : room(each))),
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files need each other, types included: move what both need into a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    only('api', [], 'The API is what plugins see and depends on nothing of ours: move the code to helpers.'),
    only('fast', [], 'Tricks of speed stand alone, beside the plain way of the language: pass it in.'),
    only(
      'helpers',
      ['api', 'fast'],
      'Helpers serve plugin authors and know only the API: move the code to runtime.',
    ),
    only(
      'admission',
      ['api', 'helpers'],
      'Admission knows connections, addresses and keys, and no protocol: pass what it needs as an argument.',
    ),
    only(
      'listen',
      ['api', 'helpers'],
      'Listening knows TLS and keys, and no protocol: leave that to the source.',
    ),
    only(
      'registry',
      ['api'],
      'The registry knows definitions, not how they run: pass what it needs as an argument.',
    ),
    only(
      'observability',
      ['api'],
      'Observability implements interfaces of the API: pass what it needs as an argument.',
    ),
    only(
      'config',
      ['api', 'helpers', 'registry'],
      'Configuration produces specs; the runtime reads them: move the code to runtime.',
    ),
    only(
      'spool',
      ['api', 'helpers', 'observability'],
      'The spool keeps bytes and knows no queue and no pipeline: put it into runtime.',
    ),
    only(
      'runtime',
      ['api', 'fast', 'helpers', 'observability', 'registry', 'config', 'spool'],
      'The runtime knows plugins through the registry only.',
    ),
    only(
      'host',
      ['admission', 'config', 'listen', 'observability', 'registry', 'runtime', 'spool', 'testing'],
      'The entry for programs only passes on what the rooms export: put code into a room.',
    ),
    {
      name: 'public-without-native-code',
      comment:
        'api, helpers and testing are installed by plugin authors, without the packages of the program: use an interface of the API.',
      severity: 'error',
      from: { path: `${PIPELINE}/(api|helpers|testing)/index\\.ts$` },
      to: { path: 'node_modules/(lmdb|pino|pino-pretty|prom-client)/', reachable: true },
    },
    {
      name: 'activity-on-pipeline',
      comment:
        'The domain stands on the public parts of the pipeline library: ask for what is missing in its API.',
      severity: 'error',
      from: { path: '^libs/activity/', pathNot: SPEC },
      to: { path: '^(libs|apps|plugins|test)/', pathNot: [room('api'), room('helpers'), '^libs/activity/'] },
    },
    {
      name: 'agent-on-activity',
      comment:
        'The client uses the domain and the public parts of the pipeline library: move shared code there.',
      severity: 'error',
      from: { path: '^libs/agent/', pathNot: SPEC },
      to: {
        path: '^(libs|apps|plugins|test)/',
        pathNot: [room('api'), room('helpers'), '^libs/(activity|agent)/'],
      },
    },
    {
      name: 'no-testing-in-production',
      comment: 'The kit in testing/ is for specs: move shared code to helpers.',
      severity: 'error',
      from: { path: '^(libs|apps|plugins)/', pathNot: [SPEC, '/src/testing/', `${room('host')}testing`] },
      to: { path: '^libs/[^/]+/src/testing/' },
    },
    {
      name: 'libs-know-no-products',
      comment: 'Libraries know neither NestJS, MongoDB nor ClickHouse: put it into the app or a plugin.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: 'node_modules/(@nestjs|mongodb|@clickhouse|chdb|fastify)' },
    },
    {
      name: 'plugins-see-api-and-helpers',
      comment:
        'A plugin may use @activity-gateway/pipeline/api and /helpers, @activity-gateway/activity, its own folder and npm packages: ask for what is missing in the API.',
      severity: 'error',
      from: { path: '^plugins/([^/]+)/([^/]+)/', pathNot: SPEC },
      to: {
        path: '^(libs|apps|plugins|test)/|node_modules/@nestjs',
        pathNot: [room('api'), room('helpers'), '^libs/activity/', '^plugins/$1/$2/'],
      },
    },
    {
      name: 'plugin-specs-see-the-kit',
      comment:
        "A plugin's spec may also use @activity-gateway/pipeline/testing; what spans plugins belongs into test/.",
      severity: 'error',
      from: { path: '^plugins/([^/]+)/([^/]+)/.*\\.spec\\.ts$' },
      to: {
        path: '^(libs|apps|plugins|test)/',
        pathNot: [
          ...['api', 'helpers', 'testing'].map(room),
          ...['^libs/activity/', '^plugins/$1/$2/', '^test/support/'],
        ],
      },
    },
    {
      name: 'one-importer-of-plugins',
      comment: 'Only apps/ingest-gateway/src/plugins.ts imports the plugins: use createPluginRegistry().',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^apps/ingest-gateway/src/plugins\\.ts$', SPEC] },
      to: { path: '^plugins/' },
    },
    {
      name: 'reactor-without-nest',
      comment: 'A reactor carries events and has no NestJS: put it into the control plane.',
      severity: 'error',
      from: { path: '^apps/ingest-gateway/src/reactor(/|\\.main\\.ts$)' },
      to: {
        path: 'node_modules/@nestjs|^apps/ingest-gateway/src/(admin|health|metrics|settings|agents|enrollment|store|clickhouse|listener)/',
      },
    },
    {
      name: 'no-libs-to-apps',
      comment: 'Libraries are used by apps, never the other way round: pass it in.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|plugins|test)/' },
    },
    {
      name: 'not-to-dev-dep',
      comment: 'Production code needs a production dependency: move it in package.json.',
      severity: 'error',
      from: { path: '^(apps|libs|plugins)/', pathNot: [SPEC, room('testing'), '/bundle\\.mjs$'] },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'not-unresolvable',
      comment: 'The import leads nowhere: mend the path or install the package.',
      severity: 'error',
      from: {},
      // Children of tests run the built program, which need not be there yet.
      to: { couldNotResolve: true, pathNot: '/dist/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
