export { createClickHouseService } from './clickhouse.service.js';
export type {
  ActivityEvent,
  ActivityQuery,
  ActivitySummary,
  ActivityType,
  ClickHouseOptions,
  ClickHouseService,
  ClickHouseStatus,
} from './types.js';
