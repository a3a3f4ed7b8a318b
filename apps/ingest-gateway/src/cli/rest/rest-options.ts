import { join } from 'node:path';
import { text, type CliCommand } from '../cli-command.js';

/** Where the REST API of a gateway is, and with which key. */
export interface RestOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: { readonly text: string } | { readonly file: string };
}

/** Options of a command that asks the REST API, as `addRestOptions` declares them. */
export interface GivenRestOptions {
  readonly url?: string;
  readonly keyFile?: string;
}

/** Adds `--url` and `--key-file` to a command. */
export function addRestOptions(command: CliCommand): CliCommand {
  return command
    .option('--url <url>', 'REST API; by default http://127.0.0.1 and GATEWAY_HTTP_PORT or 8080', text)
    .option(
      '--key-file <file>',
      'file with the admin key; by default ADMIN_API_KEY, else admin.key in GATEWAY_DATA_DIR or ./data',
      text,
    );
}

/** Completes the options with the environment's values. */
export function restOptionsOf(given: GivenRestOptions, env: NodeJS.ProcessEnv): RestOptions {
  const url = given.url ?? `http://127.0.0.1:${env['GATEWAY_HTTP_PORT'] || '8080'}`;
  return { url: url.replace(/\/+$/, ''), key: keyOf(given.keyFile, env) };
}

function keyOf(file: string | undefined, env: NodeJS.ProcessEnv): RestOptions['key'] {
  if (file !== undefined) return { file };
  const value = env['ADMIN_API_KEY'];
  return value ? { text: value } : { file: join(env['GATEWAY_DATA_DIR'] || './data', 'admin.key') };
}
