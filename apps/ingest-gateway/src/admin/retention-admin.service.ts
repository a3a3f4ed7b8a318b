import { Inject, Injectable } from '@nestjs/common';
import { CLICKHOUSE } from '../dependencies.js';
import { AuditService, type AuditNote } from '../audit/index.js';
import type { ClickHouseService, WaitingRetention } from '../clickhouse/types.js';
import { component, listOf, shape } from '../openapi/component.js';
import type { Caller } from './http/caller.js';

/** What waits, or what a confirmation has changed. */
export interface RetentionView {
  readonly changes: readonly WaitingRetention[];
}

/** Schema of `WaitingRetention`. */
export const retentionChangeSchema = component(
  'RetentionChange',
  shape({
    table: { type: 'string' },
    currentDays: {
      type: ['integer', 'null'],
      description:
        'Days that the table keeps rows, 0 = no TTL; null where it has a TTL that the gateway did not make.',
    },
    configuredDays: { type: 'integer', description: 'Days of the configuration, 0 = no TTL.' },
    rows: {
      type: ['integer', 'null'],
      description: 'Rows that the change deletes; null where they could not be counted.',
    },
  }),
);

/** Schema of `RetentionView`. */
export const retentionViewSchema = component('Retention', shape({ changes: listOf(retentionChangeSchema) }));

/** A change for the document's examples. */
export const exampleRetentionChange: WaitingRetention = {
  table: 'dead_letters',
  currentDays: 90,
  configuredDays: 30,
  rows: 18_250_731,
};

/** The retention of the tables as administrators handle it. */
@Injectable()
export class RetentionAdmin {
  constructor(
    @Inject(CLICKHOUSE)
    private readonly clickhouse: Pick<ClickHouseService, 'waitingRetention' | 'applyRetention'>,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** Changes that wait, counted now. @throws GatewayError `CLICKHOUSE_UNAVAILABLE` */
  async list(): Promise<RetentionView> {
    return { changes: await this.clickhouse.waitingRetention() };
  }

  /** Makes them. @throws GatewayError `CLICKHOUSE_UNAVAILABLE`, `RETENTION_UNSAFE` */
  apply(caller: Caller): Promise<RetentionView> {
    return this.audit.change(caller, 'retention.apply', '', async (note) => {
      const changes: WaitingRetention[] = [];
      const take = (change: WaitingRetention): void => {
        changes.push(change);
        describe(note, changes);
        note.done = true;
      };
      await this.clickhouse.applyRetention(take);
      describe(note, changes);
      return { changes };
    });
  }
}

/** What was changed, also when a later table fails: its rows go. */
function describe(note: AuditNote, changes: readonly WaitingRetention[]): void {
  note.target = changes.map(({ table }) => table).join(' ');
  note.before = changes.map(({ table, currentDays: days }) => ({ table, days }));
  note.after = changes.map(({ table, configuredDays: days, rows }) => ({
    table,
    days,
    deletedRows: rows,
  }));
}
