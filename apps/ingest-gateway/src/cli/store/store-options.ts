import { GatewayError } from '@app/pipeline/api';
import { parseOptions } from '../agent/parse-options.js';

/** Kinds of store. */
export type StoreKind = 'embedded' | 'mongodb';

/** What `store copy` was asked to do. */
export interface StoreCopyOptions {
  readonly from: StoreKind;
  readonly to: StoreKind;
  readonly uri?: string;
  readonly database?: string;
  readonly overwrite: boolean;
  /** `gateway.yaml`, as given. */
  readonly config?: string;
}

/** What `--help` prints. */
export const STORE_USAGE = `Usage: gateway store copy --from embedded --to mongodb [options]

Copies agents, enrollment tokens, settings, API keys and the audit trail from one store to the other. Stop the gateway first;
what belongs to this one gateway (its id, its admin key, its certificate) stays in its data directory. Done again, it changes
nothing.

  --from KIND      embedded or mongodb
  --to KIND        the other one
  --uri URI        the MongoDB; by default the one that gateway.yaml uses, else the variable MONGODB_URI. Others on this
                   machine can read command lines: give a URI with a password in the variable
  --database NAME  its database; by default that of gateway.yaml, else the variable MONGODB_DATABASE, else activity_gateway
  --overwrite      where the target holds an entry otherwise, put the source's in its place; entries that only the target
                   has are kept
  --config FILE    gateway.yaml, which names the data directory; by default as for "gateway run"
  --help           this text

Exit code: 0 = everything is in the target, 1 = it is not, 2 = wrong usage.
`;

const OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  uri: { type: 'string' },
  database: { type: 'string' },
  config: { type: 'string' },
  overwrite: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/**
 * Reads what follows `store` on the command line; `undefined` when help is asked for.
 * @throws GatewayError `CLI_USAGE`
 */
export function parseStoreOptions(argv: readonly string[]): StoreCopyOptions | undefined {
  const [action, ...rest] = argv;
  if (action === '--help' || action === '-h') return undefined;
  if (action !== 'copy') {
    const given = action === undefined ? 'An action is missing.' : `There is no action "${action}".`;
    throw new GatewayError('CLI_USAGE', given, 'There is one: gateway store copy.');
  }
  const { help, from, to, overwrite, ...texts } = parseOptions(rest, OPTIONS);
  if (help) return undefined;
  const kinds = { from: kindOf('from', from), to: kindOf('to', to) };
  if (kinds.from !== kinds.to) return { ...texts, ...kinds, overwrite: overwrite ?? false };
  throw new GatewayError('CLI_USAGE', '--from and --to name the same store.', 'See --help.');
}

function kindOf(name: string, text: string | undefined): StoreKind {
  if (text === 'embedded' || text === 'mongodb') return text;
  const given = text === undefined ? 'is missing' : `must not be "${text}"`;
  throw new GatewayError('CLI_USAGE', `--${name} ${given}: give embedded or mongodb.`);
}
