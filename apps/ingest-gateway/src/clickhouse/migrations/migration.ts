import type { ClickHouseClient } from '@clickhouse/client';
import type { EventType, Logger } from '@activity-gateway/pipeline/api';
import type { WaitingRetention } from '../types.js';
import { effectiveRetention } from '@activity-gateway/pipeline/host';

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

/** What a migration run needs. */
export interface MigrateOptions {
  readonly client: ClickHouseClient;
  readonly logger: Logger;
  readonly migrations: readonly Migration[];
  readonly database: string;
  /** Without the dead letters. */
  readonly eventTypes: readonly EventType[];
  /** 0, or more than `MAX_RETENTION_DAYS`, = keep. */
  readonly retentionDays: number;
  /** The same for dead letters. */
  readonly deadLetterRetentionDays: number;
  readonly signal?: AbortSignal;
  /** Is told which changes of the retention wait for a confirmation. */
  readonly onRetention?: (waiting: readonly WaitingRetention[]) => void;
}
