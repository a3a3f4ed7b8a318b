import { join } from 'node:path';

/** Where the REST API of a gateway is, and with which key. */
export interface RestOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: { readonly text: string } | { readonly file: string };
}

/** Options of commands that ask the REST API, for `parseOptions`. */
export const REST_OPTIONS = { url: { type: 'string' }, 'key-file': { type: 'string' } } as const;

/** What `--help` says of them. */
export const REST_USAGE = `\
  --url URL         REST API; by default http://127.0.0.1 and GATEWAY_HTTP_PORT or 8080
  --key-file FILE   file with the admin key; by default ADMIN_API_KEY, else admin.key in GATEWAY_DATA_DIR or ./data
  --help            this text
`;

/** Reads them, with the environment's values as defaults. */
export function restOptionsOf(
  texts: { readonly [Name in keyof typeof REST_OPTIONS]?: string },
  env: NodeJS.ProcessEnv,
): RestOptions {
  const url = texts.url ?? `http://127.0.0.1:${env['GATEWAY_HTTP_PORT'] || '8080'}`;
  return { url: url.replace(/\/+$/, ''), key: keyOf(texts['key-file'], env) };
}

function keyOf(file: string | undefined, env: NodeJS.ProcessEnv): RestOptions['key'] {
  if (file !== undefined) return { file };
  const text = env['ADMIN_API_KEY'];
  return text ? { text } : { file: join(env['GATEWAY_DATA_DIR'] || './data', 'admin.key') };
}
