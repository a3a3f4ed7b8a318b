import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** A file that the page loads. */
export interface PageFile {
  readonly mediaType: string;
  readonly content: Buffer | string;
}

/**
 * What the page may do: load its own files and ask this gateway. Swagger UI sets styles from its script, and has
 * pictures inside its style sheet.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page; paths are relative, so that it works behind a proxy that adds a prefix. */
export const PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Activity ingest gateway: API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
`;

/** Files of Swagger UI that the page loads, and nothing else of that package. */
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const cache = new Map<string, PageFile>([
  ['start.js', { mediaType: 'text/javascript; charset=utf-8', content: START }],
]);

/** A file of the page; `undefined` where there is none of that name. */
export async function pageFile(name: string): Promise<PageFile | undefined> {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const mediaType = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
  if (mediaType === undefined) return undefined;
  const file = { mediaType, content: await readFile(assetPath(name)) };
  cache.set(name, file);
  return file;
}

/** Swagger UI comes with `@nestjs/swagger`, wherever the package manager has put it. */
function assetPath(name: string): string {
  const swagger = createRequire(import.meta.url).resolve('@nestjs/swagger');
  return createRequire(swagger).resolve(`swagger-ui-dist/${name}`);
}
