import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { DeadLetter } from '../clickhouse/types.js';
import type { DeadLetterPage, DeadLetterSummary } from '../dead-letters/dead-letters.service.js';
import type { ReplayReport } from '../dead-letters/replay-report.js';
import { CliCommand, text } from './cli-command.js';
import {
  addFilters,
  addPaging,
  deadLetterAction,
  filterOf,
  replayedOption,
  type DeadLetterOptions,
} from './dead-letters/options.js';
import { formatLetter, formatPage, formatReplay, formatSummary } from './dead-letters/print.js';
import { RestClient } from './rest/rest-client.js';
import { restOptionsOf } from './rest/rest-options.js';

const BASE = '/api/v1/dead-letters';

/** What an action does with its arguments and options, and the API that it asks. Resolves with the exit code. */
export type DeadLetterHandler = (
  options: DeadLetterOptions,
  api: RestClient,
  ids: readonly string[],
) => Promise<number>;

/**
 * `dead-letters`: list, summary, show, export and replay over the REST API. Exit code 1: failed, or not all could be
 * replayed.
 * @param handlers what the actions do; the program's own by default
 */
export function deadLettersCommand(
  handlers: Partial<Record<keyof typeof HANDLERS, DeadLetterHandler>> = {},
): CliCommand {
  const { list, summary, show, exportAll, replay } = { ...HANDLERS, ...handlers };
  const command = new CliCommand('gateway dead-letters').description(
    'Looks at the events that were rejected, and sends them through the pipelines again. It asks the REST API of a gateway.',
  );
  const actions = [
    runs(
      addPaging(filtered('list', 'Lists the newest.'), 1_000, 'dead letters a page; 100 by default'),
      list,
    ),
    runs(filtered('summary', 'Counts them by code.').option('--json', 'print the answer unchanged'), summary),
    runs(deadLetterAction('show', 'Shows one of them in full.').argument('<id>', 'from the list'), show),
    runs(
      filtered('export', 'Exports all of them, one JSON object a line, oldest first.').option(
        '--out <file>',
        'file to write; the standard output by default',
        text,
      ),
      exportAll,
    ),
    runs(replayAction(), replay),
  ];
  for (const action of actions)
    command.addCommand(action.exits('0 = done, 1 = failed, or not all could be replayed'));
  return command;
}

function filtered(name: string, description: string): CliCommand {
  return addFilters(deadLetterAction(name, description)).addOption(replayedOption());
}

function replayAction(): CliCommand {
  const action = deadLetterAction(
    'replay',
    `Sends them through their pipelines again, after a parser or a table was fixed; what is stored then is marked and not \
sent again.`,
  ).argument('[id...]', 'from the list; all that the filter finds by default');
  return addPaging(addFilters(action), 100_000, 'dead letters at most; 10000 by default');
}

function runs(action: CliCommand, handler: DeadLetterHandler): CliCommand {
  return action.runs<DeadLetterOptions>((options, ...ids) =>
    handler(options, new RestClient(restOptionsOf(options, process.env)), ids),
  );
}

const HANDLERS = {
  list: async (options, api) =>
    print(
      options,
      await api.json<DeadLetterPage>(BASE, { ...filterOf(options), ...paging(options) }),
      formatPage,
    ),
  summary: async (options, api) =>
    print(options, await api.json<DeadLetterSummary>(`${BASE}/summary`, filterOf(options)), formatSummary),
  show: async (options, api, [id = '']) =>
    print(options, await api.json<DeadLetter>(`${BASE}/${encodeURIComponent(id)}`), formatLetter),
  exportAll: async (options, api) => {
    const stream = await api.stream(`${BASE}/export`, filterOf(options));
    try {
      const source = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);
      if (options.out === undefined) await pipeline(source, process.stdout, { end: false });
      else await pipeline(source, createWriteStream(options.out));
      return 0;
    } catch (error) {
      throw new GatewayError('CLI_REQUEST_FAILED', `The export stopped early: ${(error as Error).message}.`);
    }
  },
  replay: async (options, api, ids) => {
    const { limit, cursor } = options;
    const report = await api.post<ReplayReport>(`${BASE}/replay`, {
      filter: { ...filterOf(options), ...(ids.length > 0 && { ids }) },
      ...(limit !== undefined && { limit }),
      ...(cursor !== undefined && { cursor }),
    });
    print(options, report, formatReplay);
    return report.refused + report.failed > 0 ? 1 : 0;
  },
} satisfies Record<string, DeadLetterHandler>;

function paging({ limit, cursor }: DeadLetterOptions): Record<string, string> {
  return { ...(limit !== undefined && { limit: String(limit) }), ...(cursor !== undefined && { cursor }) };
}

function print<T>({ json }: DeadLetterOptions, answer: T, format: (answer: T) => string): number {
  process.stdout.write(json === true ? `${JSON.stringify(answer)}\n` : format(answer));
  return 0;
}
