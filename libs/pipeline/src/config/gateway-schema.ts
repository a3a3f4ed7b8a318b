import type { JsonSchema } from '../api/index.js';
import { MAX_RETENTION_DAYS } from './retention.js';

const section = (description: string, properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  default: {},
  description,
  properties,
});

const port = (description: string, byDefault: number): JsonSchema => ({
  type: 'integer',
  minimum: 0,
  maximum: 65_535,
  default: byDefault,
  description: `${description} 0 = any free port.`,
});

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({
  type: 'string',
  minLength: 1,
  description,
  ...more,
});

const list = (
  format: string,
  item: string,
  examples: readonly string[],
  description: string,
): JsonSchema => ({
  type: ['array', 'string'],
  items: { type: 'string', format, examples, description: item },
  format: `${format}-list`,
  examples: [examples.join(', ')],
  default: [],
  description: `${description}: a list, or text with commas.`,
});

const networks = (description: string): JsonSchema =>
  list(
    'cidr',
    'A network in CIDR form, IPv4 or IPv6; an address alone is a network of one.',
    ['192.0.2.0/24', '2001:db8::/32'],
    description,
  );

const listenerSchema = section('The TCP listener. Its port is the setting activitymonitor_tcp_port.', {
  host: text(
    'Address of the listener; "auto" = every address of the machine, IPv4 and, where there is one, IPv6.',
    { default: 'auto' },
  ),
  tls: section(
    'Server certificate of the listener, PEM. Both paths or none: without them one is made in the data directory.',
    {
      cert_path: text('File of the certificate chain, relative to the working directory.'),
      key_path: text('File of the private key, relative to the working directory.'),
    },
  ),
  max_connections_per_key: {
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
    default: 8,
    description:
      'Connections that one key may have at once. Beyond it the one that has been silent longest, for at least a minute, gives way; otherwise the new one is closed.',
  },
  never_ban: networks(
    'Networks in CIDR form whose addresses are neither banned nor slowed, such as those of load balancers',
  ),
});

const storeSchema: JsonSchema = {
  ...section('Where settings, known keys and tokens are kept.', {
    use: {
      enum: ['embedded', 'mongodb'],
      default: 'embedded',
      description:
        'embedded = in the data directory; mongodb = in a MongoDB that several gateways may share.',
    },
    uri: text('Connection string of the MongoDB; used with mongodb only, and needed then.', {
      // The driver reads the rest. Blanks are what a forgotten quote looks like.
      pattern: '^mongodb(\\+srv)?://\\S+$',
      examples: ['mongodb://user:password@mongodb.example.com:27017/'],
      writeOnly: true,
    }),
    database: text('Database of the MongoDB; created where it is missing.', {
      pattern: '^[A-Za-z_][A-Za-z0-9_-]*$',
      maxLength: 63,
      default: 'activity_gateway',
      examples: ['activity_gateway'],
    }),
  }),
  allOf: [
    {
      if: { properties: { use: { const: 'mongodb' } }, required: ['use'] },
      then: {
        required: ['uri'],
        properties: {
          uri: { description: 'Connection string of the MongoDB, such as uri: ${MONGODB_URI}.' },
        },
      },
    },
  ],
};

const KEEP = `0, or more than ${MAX_RETENTION_DAYS} (50 years), means keep: nothing is deleted.`;

const clickhouseSchema = section(
  'Where events are stored. Without a URL the gateway runs its own ClickHouse.',
  {
    url: text('URL of a server of yours: http or https, without user and password.', {
      pattern: '^https?://[^@\\s/?#]+(/[^@\\s]*)?$',
      examples: ['https://clickhouse.example.com:8443'],
    }),
    username: text('User on that server.', { default: 'default' }),
    password: { type: 'string', default: '', writeOnly: true, description: 'Password of the user.' },
    database: text('Database of the event tables; created where it is missing.', {
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      maxLength: 64,
      default: 'activity',
      examples: ['activity'],
    }),
    http_port: port("HTTP port of the gateway's own ClickHouse, on 127.0.0.1.", 0),
    reader: section(
      "A user for people's own queries on the gateway's own ClickHouse, who may only read. Off by default.",
      {
        username: text('Name of the user.', {
          pattern: '^(?!default$|gateway$)[A-Za-z_][A-Za-z0-9_]*$',
          maxLength: 64,
          examples: ['reader'],
        }),
        password_file: text(
          'File with the password, relative to the working directory; without it one is made and written to the data directory.',
        ),
      },
    ),
    retention_days: {
      type: 'integer',
      minimum: 0,
      default: 400,
      description: `Days after which events are deleted, counted from the time of the event. ${KEEP}`,
    },
    dead_letter_retention_days: {
      type: 'integer',
      minimum: 0,
      default: 90,
      description: `Days after which dead letters are deleted, counted from their receipt. ${KEEP}`,
    },
    dead_letter_alert_rows: {
      type: 'integer',
      minimum: 1,
      default: 1_000_000,
      description: 'More dead letters than this make the gateway report itself as degraded.',
    },
    dead_letter_alert_bytes: {
      type: 'integer',
      minimum: 1,
      default: 1_073_741_824,
      description: 'More bytes of dead letters on disk than this do so too.',
    },
  },
);

/** Schema of `plugins:`, which is read before the rest: it decides what pipelines may use. */
export const PLUGINS_SCHEMA: JsonSchema = {
  type: 'array',
  items: { type: 'string', minLength: 1 },
  default: [],
  description:
    'Packages with plugins that do not ship with the program: npm packages, looked for beside this file and ' +
    'then beside the program, or paths relative to this file that begin with a dot or a slash.',
};

const logSchema = section('What the gateway writes to standard output.', {
  level: {
    enum: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'Least important lines to write.',
  },
  format: {
    enum: ['auto', 'json', 'pretty'],
    default: 'auto',
    description: 'auto = pretty on a terminal, one JSON object a line elsewhere.',
  },
});

/**
 * What `gateway.yaml` may hold.
 * @param settingsSchema the settings by their reference names, as the program defines them
 */
export function gatewaySchema(settingsSchema: JsonSchema): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      data_dir: text('Directory for all that the gateway keeps, relative to the working directory.', {
        default: './data',
      }),
      http: section('REST API.', {
        host: text('Address of the REST API; 127.0.0.1 = this machine only.', { default: '127.0.0.1' }),
        port: port('Port of the REST API.', 8080),
        trusted_proxies: networks(
          'Networks in CIDR form of the proxies whose header X-Forwarded-For names the client',
        ),
        allowed_hosts: list(
          'host',
          'A name or an address, without scheme and path; a port is passed over.',
          ['gateway.example.com', '192.0.2.10'],
          'Names that requests may carry in their header Host, beside localhost, 127.0.0.1, [::1] and http.host; others get 421, except for health and metrics',
        ),
      }),
      admin: section('Access to the REST API.', {
        api_key: text('Key for the REST API; without it one is made and written to the data directory.', {
          pattern: '^[\\x21-\\x7e]+$',
          examples: ['one-long-random-word'],
          writeOnly: true,
        }),
      }),
      listener: listenerSchema,
      store: storeSchema,
      clickhouse: clickhouseSchema,
      log: logSchema,
      settings: {
        ...settingsSchema,
        default: {},
        description: 'Settings by their reference names; a value set over the REST API overrides these.',
      },
      plugins: PLUGINS_SCHEMA,
      pipelines: {
        type: ['string', 'array'],
        items: { type: 'string', minLength: 1 },
        minLength: 1,
        default: 'pipelines/*.yaml',
        description:
          'Files of the pipelines, relative to this file: a path, a pattern with *, or a list of those.',
      },
    },
  };
}

/** The settings schema without defaults: a file holds only what it says, so that lower levels can say the rest. */
export function withoutDefaults(settingsSchema: JsonSchema): JsonSchema {
  const properties = (settingsSchema.properties ?? {}) as Record<string, JsonSchema>;
  return {
    ...settingsSchema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, { default: _default, ...schema }]) => [name, schema]),
    ),
  };
}

/** What `gatewaySchema` lets through. */
export interface GatewayValue {
  readonly data_dir: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly trusted_proxies: string | readonly string[];
    readonly allowed_hosts: string | readonly string[];
  };
  readonly admin: { readonly api_key?: string };
  readonly listener: {
    readonly host: string;
    readonly tls: { readonly cert_path?: string; readonly key_path?: string };
    readonly max_connections_per_key: number;
    readonly never_ban: string | readonly string[];
  };
  readonly store: { readonly use: 'embedded' | 'mongodb'; readonly uri?: string; readonly database: string };
  readonly clickhouse: {
    readonly url?: string;
    readonly username: string;
    readonly password: string;
    readonly database: string;
    readonly http_port: number;
    readonly reader: { readonly username?: string; readonly password_file?: string };
    readonly retention_days: number;
    readonly dead_letter_retention_days: number;
    readonly dead_letter_alert_rows: number;
    readonly dead_letter_alert_bytes: number;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'pretty';
  };
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly plugins: readonly string[];
  readonly pipelines: string | readonly string[];
}
