import { ClickHouseError } from '@clickhouse/client';
import type { Counter, PluginContext } from '@activity-gateway/pipeline/api';
import type { SinkState } from './sink-state.js';

/** A view counts as working when inserts succeed this long after its last failure, ms: one good batch proves little. */
const CALM_MS = 60_000;
const MAX_NAME = 200;

/** How ClickHouse says that an insert failed in a materialized view of its table, whatever the code. */
const PUSHING = /while pushing to view ((?:`[^`]*`|[^\s`,:(]+)+)/i;
/** The same of a view whose target is gone; the name that follows in the message is the table's. */
const WITHOUT_TARGET = /target table '?([^'\s]+)'? of view/i;

/** A materialized view that an insert failed in. */
export interface FailedView {
  /** For people: its name, or that of its target. */
  readonly name: string;
  /** ClickHouse's code and name of the error; its text quotes values of events. */
  readonly code: string;
}

/** Reads the view that an insert failed in; `undefined` for every other error. */
export function failedView(error: unknown): FailedView | undefined {
  if (!(error instanceof ClickHouseError)) return undefined;
  const code = error.type === undefined ? error.code : `${error.code} ${error.type}`;
  const pushing = PUSHING.exec(error.message)?.[1]?.replace(/\.$/, '');
  if (pushing !== undefined) return { name: pushing.slice(0, MAX_NAME), code };
  const target = WITHOUT_TARGET.exec(error.message)?.[1];
  return target === undefined ? undefined : { name: `with the target ${target.slice(0, MAX_NAME)}`, code };
}

/** Tells operators of views that do not get the rows of their tables: a warning each, a counter, and the sink's state. */
export class ViewWatch {
  readonly #failures: Counter;
  /** By table: the views that fail, and when one did so last, ms. */
  readonly #failing = new Map<string, { readonly views: Set<string>; last: number }>();

  constructor(
    private readonly context: Pick<PluginContext, 'id' | 'logger' | 'metrics' | 'now'>,
    private readonly state: SinkState,
  ) {
    this.#failures = context.metrics.counter(
      'gateway_clickhouse_view_failures_total',
      'Inserts whose rows are stored and which a materialized view of the table did not get, by table and view.',
      ['sink', 'table', 'view'],
    );
  }

  /** An insert stored its rows, and a view failed. @param rows of the insert */
  failed(table: string, { name, code }: FailedView, rows: number): void {
    const { context } = this;
    this.#failures.add(1, { sink: context.id, table, view: name });
    const failing = this.#failing.get(table) ?? { views: new Set(), last: 0 };
    this.#failing.set(table, failing);
    failing.last = context.now();
    const fields = { table, view: name, code, rows };
    if (failing.views.has(name)) {
      context.logger.debug(fields, 'Materialized view failed again');
      return;
    }
    failing.views.add(name);
    context.logger.warn(fields, 'Materialized view failed; the rows are in their table and not in the view');
    this.state.warn(
      keyOf(table, name),
      `The materialized view ${name} fails (${code}): the rows are in ${table} and not in the view. ` +
        'Repair or drop the view, then fill it from the table.',
    );
  }

  /** An insert into the table succeeded, its views included. */
  passed(table: string): void {
    const failing = this.#failing.get(table);
    if (failing === undefined || Math.abs(this.context.now() - failing.last) < CALM_MS) return;
    this.#failing.delete(table);
    for (const name of failing.views) this.state.clear(keyOf(table, name));
    this.context.logger.info({ table, views: [...failing.views] }, 'Materialized views get rows again');
  }
}

function keyOf(table: string, view: string): string {
  return `view ${table} ${view}`;
}
