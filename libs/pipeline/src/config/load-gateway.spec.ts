import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { ConfigFiles, MINIMAL_PIPELINE, placeAndCode, removeConfigFiles } from '../testing/config-files.js';

let files: ConfigFiles;
const open = (given: Record<string, string | Uint8Array> = {}): ConfigFiles =>
  (files = new ConfigFiles(given));
afterEach(removeConfigFiles);

describe('loadGatewayConfig', () => {
  it('gives every default for an empty file', () => {
    const { config, problems, warnings } = open({ 'gateway.yaml': '# nothing\n' }).load();
    expect(problems).toEqual([]);
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      dataDir: join(files.directory, 'data'),
      http: { host: '127.0.0.1', port: 8080, trustedProxies: [], allowedHosts: [] },
      admin: {},
      listener: {
        host: expect.stringMatching(/^(::|0\.0\.0\.0)$/),
        tls: {},
        maxConnectionsPerKey: 8,
        neverBan: [],
      },
      store: { use: 'embedded' },
      clickhouse: {
        username: 'default',
        password: '',
        database: 'activity',
        httpPort: 0,
        retentionDays: 400,
        deadLetterRetentionDays: 90,
        deadLetterAlert: { rows: 1_000_000, bytes: 1_073_741_824 },
      },
      log: { level: 'info', format: 'auto' },
      settings: {},
      plugins: [],
      eventTypes: [],
      pipelines: [
        {
          name: 'activity',
          source: { name: 'nam_tls', use: 'sources.nam_tls', with: {} },
          steps: [{ name: 'smb', use: 'parsers.smb', with: { max_event_age: '400d' } }],
          sinks: [
            {
              name: 'clickhouse',
              use: 'sinks.clickhouse',
              with: {
                endpoint: 'default',
                compress: true,
                password: '',
                level: 3,
                mode: 'careful',
                tags: [],
              },
            },
          ],
          deadLetters: 'clickhouse',
          buffer: {
            maxBytes: 256 * 1024 * 1024,
            spool: { enabled: true, maxBytes: 10 * 2 ** 30, diskReserveBytes: 512 * 2 ** 20 },
          },
        },
      ],
    });
  });

  it('takes values, and paths from the working directory', () => {
    const { config, problems } = open({
      'conf/gateway.yaml': `data_dir: state
listener: { host: 127.0.0.1, tls: { cert_path: tls/cert.pem, key_path: /etc/key.pem } }
clickhouse: { url: 'https://ch.example.com:8443', username: u, password: 'p@ss', database: audit }
log: { level: debug, format: json }
settings: { activitymonitor_tcp_port: 0, enable_activitymonitor_ingestion: false }
pipelines: ['../pipelines/*.yaml', ../pipelines/activity.yaml]
`,
    }).load({}, 'conf/gateway.yaml');
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      dataDir: join(files.directory, 'state'),
      listener: {
        host: '127.0.0.1',
        tls: { certPath: join(files.directory, 'tls/cert.pem'), keyPath: '/etc/key.pem' },
      },
      clickhouse: { url: 'https://ch.example.com:8443', username: 'u', password: 'p@ss', database: 'audit' },
      log: { level: 'debug', format: 'json' },
      settings: { activitymonitor_tcp_port: 0, enable_activitymonitor_ingestion: false },
    });
    expect(config?.pipelines).toHaveLength(1);
  });

  it('counts keys without a value as not given', () => {
    const { config, problems } = open({
      'gateway.yaml': 'settings:\n  # activitymonitor_batch_size: 10\nadmin:\n  api_key:\nlog: ~\n',
    }).load();
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ settings: {}, admin: {}, log: { level: 'info' } });
  });

  it('reports every problem of every file at once, in order, each at its place', () => {
    const { config, problems } = open({
      'gateway.yaml': `http:
  port: abc
  hots: 127.0.0.1
log: { level: inof }
clickhouse:
  retention_days: -1
settings:
  batch_size: 100
  activitymonitor_batch_size: 5
dat_dir: x
`,
      'pipelines/activity.yaml': MINIMAL_PIPELINE.replace('parsers.smb', 'parsers.smd').replace(
        'name: a',
        'nane: a',
      ),
      'pipelines/second.yaml': `name: second
source: { use: sinks.clickhouse }
sinks:
  - use: sinks.file
  - use: sinks.clickhouse
    with: { compress: 'yes' }
dead_letters: clickhose
buffer: { max_bytes: 1KiB }
`,
    }).load();
    expect(config).toBeUndefined();
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:2:9 CONFIG_WRONG_TYPE',
      'gateway.yaml:3:3 CONFIG_UNKNOWN_KEY',
      'gateway.yaml:4:15 CONFIG_UNKNOWN_VALUE',
      'gateway.yaml:6:19 CONFIG_OUT_OF_RANGE',
      'gateway.yaml:8:3 CONFIG_UNKNOWN_KEY',
      'gateway.yaml:9:31 CONFIG_OUT_OF_RANGE',
      'gateway.yaml:10:1 CONFIG_UNKNOWN_KEY',
      'pipelines/activity.yaml:1:1 CONFIG_MISSING_KEY',
      'pipelines/activity.yaml:1:1 CONFIG_UNKNOWN_KEY',
      'pipelines/activity.yaml:5:10 CONFIG_UNKNOWN_PLUGIN',
      'pipelines/second.yaml:2:16 CONFIG_WRONG_PLUGIN_KIND',
      'pipelines/second.yaml:4:5 CONFIG_MISSING_KEY',
      'pipelines/second.yaml:5:10 CONFIG_DUPLICATE_NAME',
      'pipelines/second.yaml:6:23 CONFIG_WRONG_TYPE',
      'pipelines/second.yaml:7:15 CONFIG_UNKNOWN_SINK',
      'pipelines/second.yaml:8:22 CONFIG_OUT_OF_RANGE',
    ]);
  });

  it('says what is wrong, what would be right and the nearest name', () => {
    const { problems } = open({
      'gateway.yaml': `http: { port: abc, hots: x }
log: { level: inof, format: 3 }
clickhouse: { retention_days: -1, password: 12345678 }
settings: { batch_size: 100, activitymonitor_tcp_prot: 1, whatever: 1 }
`,
    }).load();
    expect(problems.map(({ message, hint }) => [message, hint])).toEqual([
      [
        '`http.port` must be a whole number between 0 and 65535, not the text "abc".',
        'Port of the REST API. 0 = any free port.',
      ],
      ['`http.hots` is not a known key.', 'Did you mean "host"?'],
      [
        '`log.level` must be "debug", "info", "warn" or "error", not the text "inof".',
        'Did you mean "info"?',
      ],
      [
        '`log.format` must be "auto", "json" or "pretty", not the number 3.',
        'auto = pretty on a terminal, one JSON object a line elsewhere.',
      ],
      [
        '`clickhouse.retention_days` must be a whole number of at least 0, not the number -1.',
        'Days after which events are deleted, counted from the time of the event. 0, or more than 18250 (50 years), means keep: nothing is deleted.',
      ],
      ['`clickhouse.password` must be text, not the number given.', 'Put it into quotes.'],
      ['`settings.batch_size` is not a known key.', 'Did you mean "activitymonitor_batch_size"?'],
      ['`settings.activitymonitor_tcp_prot` is not a known key.', 'Did you mean "activitymonitor_tcp_port"?'],
      [
        '`settings.whatever` is not a known key.',
        'Known keys: activitymonitor_tcp_port, activitymonitor_batch_size, enable_activitymonitor_ingestion.',
      ],
    ]);
  });

  it('refuses a certificate without its key, and the reverse', () => {
    const { problems } = open({ 'gateway.yaml': 'listener:\n  tls:\n    key_path: k.pem\n' }).load();
    expect(problems.map(placeAndCode)).toEqual(['gateway.yaml:3:5 CONFIG_MISSING_KEY']);
    expect(problems[0]?.message).toBe('`listener.tls.key_path` is given without `listener.tls.cert_path`.');
  });

  it('takes the hosts and the proxies of the REST API, as lists or as text', () => {
    const { config } = open({
      'gateway.yaml':
        'http: { trusted_proxies: "10.0.0.0/8, ::1", allowed_hosts: [Gateway.example:1, "[::2]"] }\n',
    }).load();
    expect(config?.http).toMatchObject({
      trustedProxies: ['10.0.0.0/8', '::1'],
      allowedHosts: ['Gateway.example:1', '[::2]'],
    });
    const { problems } = open({
      'gateway.yaml': 'http:\n  trusted_proxies: [proxy]\n  allowed_hosts: [http://x, a b]\n',
    }).load();
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:2:21 CONFIG_WRONG_FORMAT',
      'gateway.yaml:3:19 CONFIG_WRONG_FORMAT',
      'gateway.yaml:3:29 CONFIG_WRONG_FORMAT',
    ]);
  });

  it('takes networks that are never banned, as a list or as text, and tells which one is none', () => {
    const networks = (text: string): unknown =>
      open({ 'gateway.yaml': `listener: { never_ban: ${text} }\n` }).load().config?.listener.neverBan;
    expect(networks('[10.0.0.0/8, "2001:db8::/32", 192.0.2.7]')).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
      '192.0.2.7',
    ]);
    expect(networks('"10.0.0.0/8, 2001:db8::/32 192.0.2.7,"')).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
      '192.0.2.7',
    ]);
    const { problems } = open({
      'gateway.yaml':
        'listener:\n  max_connections_per_key: 0\n  never_ban:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n    - balancer\n',
    }).load();
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:2:28 CONFIG_OUT_OF_RANGE',
      'gateway.yaml:5:7 CONFIG_WRONG_FORMAT',
      'gateway.yaml:6:7 CONFIG_WRONG_FORMAT',
    ]);
    expect(problems[1]).toMatchObject({
      message:
        '`listener.never_ban[1]` must be text such as "192.0.2.0/24" or "2001:db8::/32", not the text "10.0.0.0/33".',
      hint: 'A network in CIDR form, IPv4 or IPv6; an address alone is a network of one.',
    });
    const { problems: inText } = open({ 'gateway.yaml': 'listener:\n  never_ban: 10.0.0.0/8;x\n' }).load();
    expect(inText.map(placeAndCode)).toEqual(['gateway.yaml:2:14 CONFIG_WRONG_FORMAT']);
  });

  it.each(['http://user:pw@host:8123', 'ftp://host', 'host:8123', 'http://'])('refuses the URL %s', (url) => {
    const { problems } = open({ 'gateway.yaml': `clickhouse: { url: '${url}' }` }).load();
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_WRONG_FORMAT']);
    expect(problems[0]?.message).not.toContain('pw');
  });

  it('is not misled by keys that JavaScript knows', () => {
    const { problems } = open({ 'gateway.yaml': '__proto__: { http: 1 }\nconstructor: 1\n' }).load();
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:1:1 CONFIG_UNKNOWN_KEY',
      'gateway.yaml:2:1 CONFIG_UNKNOWN_KEY',
    ]);
  });
});

describe('files that cannot be read', () => {
  it('are one problem at line 0', () => {
    const { problems } = open().load({}, 'missing.yaml');
    expect(problems).toEqual([
      {
        file: 'missing.yaml',
        line: 0,
        column: 0,
        code: 'CONFIG_UNREADABLE',
        message: 'The file cannot be read: there is no such file.',
        hint: 'Check the path and the permissions.',
      },
    ]);
  });

  it.each([
    ['a directory', 'pipelines', /is a directory/],
    ['no UTF-8', 'latin1.yaml', /not UTF-8/],
    ['too long', 'log.yaml', /more than 1 MiB/],
  ])('say why: %s', (_, path, reason) => {
    const given = { 'latin1.yaml': Buffer.from([0x61, 0xe4]), 'log.yaml': '#'.repeat(1024 * 1024 + 1) };
    const { problems } = open(given).load({}, path);
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_UNREADABLE']);
    expect(problems[0]?.message).toMatch(reason);
  });
});

describe('pipelines', () => {
  it('reports when none is found', () => {
    const { problems } = open({ 'gateway.yaml': 'log: {}\npipelines: nowhere/*.yaml\n' }).load();
    expect(problems.map(placeAndCode)).toEqual(['gateway.yaml:2:12 CONFIG_NO_PIPELINE']);
  });

  it('reports a file that is not there, at its entry, and checks the others', () => {
    const { problems } = open({
      'gateway.yaml': 'pipelines:\n  - pipelines/activity.yaml\n  - gone.yaml\n  - p*/x.yaml\n',
    }).load();
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:3:5 CONFIG_UNREADABLE',
      'gateway.yaml:4:5 CONFIG_INVALID_VALUE',
    ]);
  });

  it('passes over hidden files and directories, and reads in order of names', () => {
    const second = MINIMAL_PIPELINE.replace('activity', 'b').replace('nam_tls', 'other');
    const { config } = open({
      'pipelines/.x.yaml': '[',
      'pipelines/d.yaml/x': '',
      'pipelines/b.yaml': second,
    }).load();
    expect(config?.pipelines.map(({ name }) => name)).toEqual(['activity', 'b']);
  });

  it('want different names and one user of the listener', () => {
    const { problems } = open({ 'pipelines/b.yaml': MINIMAL_PIPELINE }).load();
    expect(problems.map(placeAndCode)).toEqual([
      'pipelines/b.yaml:1:7 CONFIG_DUPLICATE_NAME',
      'pipelines/b.yaml:3:8 CONFIG_SOURCE_TAKEN',
    ]);
    expect(problems[0]?.message).toBe('The pipeline in pipelines/activity.yaml has this `name` too.');
  });
});
