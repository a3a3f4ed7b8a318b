import { activityTables } from './0001-activity-tables.js';
import type { Migration } from './migration.js';

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [activityTables];

export { migrate, type MigrateOptions } from './migrate.js';
export { quoteIdentifier } from './migration.js';
