import { activityTables } from './0001-activity-tables.js';
import { deadLetterIds } from './0002-dead-letter-ids.js';
import type { Migration } from './migration.js';

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [activityTables, deadLetterIds];

export { migrate } from './migrate.js';
export { quoteIdentifier, type MigrateOptions } from './migration.js';
