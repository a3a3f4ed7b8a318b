import type { RetentionView } from '../admin/retention-admin.service.js';
import { formatTable } from './agent/table.js';
import { CliCommand } from './cli-command.js';
import { RestClient } from './rest/rest-client.js';
import { addRestOptions, restOptionsOf, type GivenRestOptions } from './rest/rest-options.js';

const PATH = '/api/v1/retention';

/** `retention show` and `retention apply`, over the REST API. Exit code 0 also where nothing waits. */
export function retentionCommand(): CliCommand {
  const retention = new CliCommand('gateway retention').description(
    `A retention of the configuration that would delete events or dead letters is not applied until somebody confirms it; \
until then the gateway is degraded and keeps the old one.`,
  );
  const show = new CliCommand('show').description(
    'Shows what waits, and how many rows of which table would be deleted.',
  );
  addRestOptions(show).runs<GivenRestOptions>(async (options) =>
    print(
      await clientOf(options).json<RetentionView>(PATH),
      'The rows are deleted by `gateway retention apply`.\n',
      false,
    ),
  );
  const apply = new CliCommand('apply').description(
    'Confirms: every table gets the configured retention, and ClickHouse deletes what is older.',
  );
  addRestOptions(apply).runs<GivenRestOptions>(async (options) =>
    print(
      await clientOf(options).post<RetentionView>(`${PATH}/apply`),
      'ClickHouse deletes the rows in the background.\n',
      true,
    ),
  );
  for (const each of [show, apply]) each.exits('0 = done, also where nothing waits, 1 = failed');
  retention.addCommand(show);
  retention.addCommand(apply);
  return retention;
}

function clientOf(options: GivenRestOptions): RestClient {
  return new RestClient(restOptionsOf(options, process.env));
}

function print({ changes }: RetentionView, next: string, applied: boolean): number {
  const rows = changes.map(({ table, currentDays, configuredDays, rows: count }) => [
    table,
    currentDays === null ? 'own TTL' : days(currentDays),
    days(configuredDays),
    count ?? 'unknown',
  ]);
  const heads = ['table', applied ? 'before' : 'now', applied ? 'now' : 'configured', 'rows'];
  const answer =
    rows.length === 0 ? 'Every table has the configured retention.\n' : formatTable([heads, ...rows]) + next;
  process.stdout.write(answer);
  return 0;
}

function days(count: number): string {
  return count === 0 ? 'kept' : `${count} d`;
}
