import { GatewayError } from '@app/pipeline/api';
import type { RetentionView } from '../admin/retention-admin.service.js';
import { parseOptions } from './agent/parse-options.js';
import { printError } from './agent/print-error.js';
import { formatTable } from './agent/table.js';
import { RestClient } from './rest/rest-client.js';
import { REST_OPTIONS, REST_USAGE, restOptionsOf } from './rest/rest-options.js';

const USAGE = `Usage: gateway retention <action> [options]

A retention of the configuration that would delete events or dead letters is not applied until somebody confirms it; until
then the gateway is degraded and keeps the old one. It asks the REST API of a running gateway.

  show      what waits, and how many rows of which table would go
  apply     confirms: every table gets the configured retention, and ClickHouse deletes what is older

${REST_USAGE}
Exit code: 0 = done, also where nothing waits, 1 = failed, 2 = wrong usage.
`;
const ACTIONS = ['show', 'apply'];
const PATH = '/api/v1/retention';

/**
 * `retention`: shows and applies changes of the retention over the REST API.
 * @returns exit code: 0 done, 1 failed, 2 the command line is wrong
 */
export async function retentionCommand(argv: string[]): Promise<number> {
  try {
    const named = argv[0] !== undefined && !argv[0].startsWith('-');
    const texts = parseOptions(named ? argv.slice(1) : argv, { help: { type: 'boolean' }, ...REST_OPTIONS });
    if (texts.help === true) return print(USAGE);
    if (!ACTIONS.includes(argv[0] ?? '')) {
      throw new GatewayError('CLI_USAGE', 'The actions of retention are show and apply.', 'See --help.');
    }
    const api = new RestClient(restOptionsOf(texts, process.env));
    const applies = argv[0] === 'apply';
    const answer = applies
      ? await api.post<RetentionView>(`${PATH}/apply`)
      : await api.json<RetentionView>(PATH);
    return print(format(answer, applies));
  } catch (error) {
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  }
}

function format({ changes }: RetentionView, applied: boolean): string {
  if (changes.length === 0) return 'Every table has the configured retention.\n';
  const rows = changes.map(({ table, currentDays, configuredDays, rows: count }) => [
    table,
    currentDays === null ? 'own TTL' : days(currentDays),
    days(configuredDays),
    count ?? 'unknown',
  ]);
  const table = formatTable([
    ['table', applied ? 'before' : 'now', applied ? 'now' : 'configured', 'rows'],
    ...rows,
  ]);
  const next = applied
    ? 'ClickHouse deletes the rows in the background.\n'
    : 'The rows are deleted by `gateway retention apply`.\n';
  return table + next;
}

function days(count: number): string {
  return count === 0 ? 'kept' : `${count} d`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
