import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GatewayError } from '@app/pipeline/api';
import type { DeadLetter } from '../clickhouse/types.js';
import type { DeadLetterPage, DeadLetterSummary } from '../dead-letters/dead-letters.service.js';
import type { ReplayReport } from '../dead-letters/replay-report.js';
import { printError } from './agent/print-error.js';
import {
  DEAD_LETTERS_USAGE,
  parseDeadLetterOptions,
  type DeadLetterOptions,
} from './dead-letters/options.js';
import { formatLetter, formatPage, formatReplay, formatSummary } from './dead-letters/print.js';
import { RestClient } from './rest/rest-client.js';

const BASE = '/api/v1/dead-letters';

/**
 * `dead-letters`: list, summary, show, export and replay over the REST API.
 * @returns exit code: 0 done, 1 failed or not all could be replayed, 2 the command line is wrong
 */
export async function deadLettersCommand(argv: string[]): Promise<number> {
  try {
    const options = parseDeadLetterOptions(argv, process.env);
    return await run(options, new RestClient(options));
  } catch (error) {
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  }
}

async function run(options: DeadLetterOptions, api: RestClient): Promise<number> {
  const { action, filter } = options;
  switch (action) {
    case 'help':
      return print(DEAD_LETTERS_USAGE);
    case 'list':
      return show(
        options,
        await api.json<DeadLetterPage>(BASE, { ...filter, ...paging(options) }),
        formatPage,
      );
    case 'summary':
      return show(options, await api.json<DeadLetterSummary>(`${BASE}/summary`, filter), formatSummary);
    case 'show':
      return print(
        formatLetter(await api.json<DeadLetter>(`${BASE}/${encodeURIComponent(options.ids[0] ?? '')}`)),
      );
    case 'export':
      return exportAll(options, api);
    case 'replay':
      return replay(options, api);
  }
}

function paging({ limit, cursor }: DeadLetterOptions): Record<string, string> {
  return {
    ...(limit !== undefined && { limit: String(limit) }),
    ...(cursor !== undefined && { cursor }),
  };
}

async function exportAll({ filter, out }: DeadLetterOptions, api: RestClient): Promise<number> {
  const stream = await api.stream(`${BASE}/export`, filter);
  try {
    const source = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);
    if (out === undefined) await pipeline(source, process.stdout, { end: false });
    else await pipeline(source, createWriteStream(out));
    return 0;
  } catch (error) {
    throw new GatewayError('CLI_REQUEST_FAILED', `The export ended early: ${(error as Error).message}.`);
  }
}

async function replay(options: DeadLetterOptions, api: RestClient): Promise<number> {
  const { filter, ids, limit, cursor } = options;
  const report = await api.post<ReplayReport>(`${BASE}/replay`, {
    filter: { ...filter, ...(ids.length > 0 && { ids }) },
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
  });
  show(options, report, formatReplay);
  return report.refused + report.failed > 0 ? 1 : 0;
}

function show<T>({ json }: DeadLetterOptions, answer: T, format: (answer: T) => string): number {
  return print(json ? `${JSON.stringify(answer)}\n` : format(answer));
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
