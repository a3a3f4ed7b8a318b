import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';

/** Where the events of a scenario go. */
export type SinkName = 'null' | 'file' | 'clickhouse';

/**
 * Writes the shipped configuration into a folder, with another sink in its pipeline.
 * @returns path of its `gateway.yaml`
 */
export async function writeConfig(folder: string, sink: SinkName): Promise<string> {
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  const shipped = (file: string): Promise<string> => readFile(resolve('config', file), 'utf8');
  const pipeline = parseDocument(await shipped('pipelines/activity.yaml'));
  pipeline.set('sinks', pipeline.createNode([sinkOf(folder, sink)]));
  pipeline.set('dead_letters', 'sink');
  await writeFile(join(folder, 'pipelines', 'activity.yaml'), pipeline.toString());
  const path = join(folder, 'gateway.yaml');
  await writeFile(path, await shipped('gateway.yaml'));
  return path;
}

/** Folder of the file sink. */
export function filesOf(folder: string): string {
  return join(folder, 'events');
}

function sinkOf(folder: string, sink: SinkName): object {
  if (sink === 'file') {
    return { use: 'sinks.ndjson_file', name: 'sink', with: { directory: filesOf(folder) } };
  }
  return { use: `sinks.${sink}`, name: 'sink' };
}
