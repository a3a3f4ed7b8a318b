import type { JsonSchema, PluginDefinition } from '../api/index.js';
import type { Evaluation } from './evaluate.js';
import type { LoadContext } from './load-context.js';
import { here, joinPointer } from './pointer.js';

/**
 * Longest retention that ClickHouse is given, days (50 years). A TTL is a `DateTime`, which ends in 2106: an event that
 * would expire later wraps to a time in the past and is deleted at once.
 */
export const MAX_RETENTION_DAYS = 18_250;

/** Option of parsers; without a default in their schema it takes the retention of the event tables. */
const EVENT_AGE = 'max_event_age';
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS };

/** The retention that is in force, days: 0 (keep, no TTL) where it is 0 or more than `MAX_RETENTION_DAYS`. */
export function effectiveRetention(days: number): number {
  return days > MAX_RETENTION_DAYS ? 0 : days;
}

/**
 * Gives options the retention of the event tables as their `max_event_age`, if the schema has this option and the options
 * lack it. Retention 0 gives `0d`, no limit.
 */
export function fillEventAge(schema: JsonSchema, options: Record<string, unknown>, days: number): void {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  if (EVENT_AGE in properties) options[EVENT_AGE] ??= `${days}d`;
}

/**
 * As `fillEventAge` for a step of a pipeline, with a warning where the step says a longer age than the retention:
 * ClickHouse would delete older events as soon as they are stored.
 */
export function applyEventAge(
  definition: PluginDefinition,
  options: Record<string, unknown>,
  stepPointer: string,
  evaluation: Evaluation,
  { eventRetentionDays: days, warnings }: LoadContext,
): void {
  if (days === undefined || definition.kind !== 'parser') return;
  fillEventAge(definition.configSchema, options, days);
  const age = options[EVENT_AGE];
  if (typeof age !== 'string' || days === 0 || !exceeds(age, days)) return;
  const pointer = `${joinPointer(stepPointer, 'with')}/${EVENT_AGE}`;
  warnings.add(evaluation.file.name, evaluation.valuePosition(pointer), {
    code: 'CONFIG_EVENT_AGE_TOO_LONG',
    message: `${here(pointer)} takes events older than the ${days} days of \`clickhouse.retention_days\`: ClickHouse deletes them as soon as they are stored.`,
    hint: 'Leave the option out to take the retention of the event tables.',
  });
}

/** Whether an age, as configuration writes it, is no limit or longer than the days. */
function exceeds(age: string, days: number): boolean {
  const [, count = '0', unit = 'd'] = /^(\d+)([a-z]+)$/.exec(age) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  return ms === 0 || ms > days * DAY_MS;
}
