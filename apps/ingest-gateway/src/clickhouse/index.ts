export { createClickHouseService } from './clickhouse.service.js';
export type {
  ActivityEvent,
  ActivityQuery,
  ActivitySummary,
  ClickHouseOptions,
  ClickHouseService,
  ClickHouseStatus,
} from './types.js';
