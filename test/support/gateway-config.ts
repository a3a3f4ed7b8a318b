import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const SINK = '  - use: sinks.clickhouse\n    name: clickhouse\n';

/**
 * Copies the configuration that comes with the program into a directory, with another `request_timeout` of the sink: a
 * test does not wait two minutes for an answer that never comes.
 * @param timeout with its unit, as `3s`
 * @returns the file for `GATEWAY_CONFIG`
 */
export async function configWithRequestTimeout(directory: string, timeout: string): Promise<string> {
  const config = join(directory, 'config');
  await cp(resolve('config'), config, { recursive: true });
  const pipeline = join(config, 'pipelines', 'activity.yaml');
  const text = await readFile(pipeline, 'utf8');
  if (!text.includes(SINK)) throw new Error(`${pipeline} has its sink written in another way.`);
  await writeFile(pipeline, text.replace(SINK, `${SINK}    with:\n      request_timeout: ${timeout}\n`));
  return join(config, 'gateway.yaml');
}
