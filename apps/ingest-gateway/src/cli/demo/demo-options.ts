import { resolve } from 'node:path';
import { parseNumber, parseOptions } from '../agent/parse-options.js';

/** What `demo` was asked to do. */
export interface DemoOptions {
  readonly help: boolean;
  /** End after the table instead of keeping the gateway running. */
  readonly once: boolean;
  readonly events: number;
  /** Absolute path. */
  readonly dataDir: string;
}

/** What `--help` prints. */
export const DEMO_USAGE = `Shows the whole job on this machine: gateway, three agents, four types of event, ClickHouse.

  npm run demo
  npm run demo -- --once

  --once       ends after the table, with exit code 0 only when every event is accounted for
  --events N   events to send, 20000 by default
  --data DIR   where the gateway and the agents keep their data, ./data/demo by default
`;

const OPTIONS = {
  help: { type: 'boolean' },
  once: { type: 'boolean' },
  events: { type: 'string' },
  data: { type: 'string' },
} as const;

/** @throws GatewayError `CLI_USAGE`: what is wrong with the command line */
export function parseDemoOptions(argv: readonly string[]): DemoOptions {
  const texts = parseOptions(argv, OPTIONS);
  return {
    help: texts.help ?? false,
    once: texts.once ?? false,
    events: parseNumber('events', texts.events, { min: 1, max: 100_000_000 }) ?? 20_000,
    dataDir: resolve(texts.data ?? './data/demo'),
  };
}
