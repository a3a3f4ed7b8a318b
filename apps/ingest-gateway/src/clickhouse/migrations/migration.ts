import { effectiveRetention } from '@app/pipeline/config';

/** What the statements of a migration are made for. */
export interface MigrationContext {
  /** Quoted, ready to stand in a statement. */
  readonly database: string;
  /** TTL clause for a column, or nothing when events are kept. */
  ttl(column: string): string;
}

/**
 * One step of the schema. It is never changed once it is released: a change of the tables is a new step. Every statement
 * can be run again (`IF NOT EXISTS`), since two gateways may run it at once and one may die half-way.
 */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  /** In lower_snake_case. */
  readonly name: string;
  statements(context: MigrationContext): string[];
}

/** An identifier as ClickHouse takes any, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** The TTL clause. @param days 0, or more than `MAX_RETENTION_DAYS`, = keep: no TTL */
export function ttlClause(column: string, days: number): string {
  return effectiveRetention(days) === 0 ? '' : `TTL toDateTime(${column}) + toIntervalDay(${days})`;
}
