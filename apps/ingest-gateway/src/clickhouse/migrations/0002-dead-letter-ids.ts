import type { Migration } from './migration.js';

/**
 * What listing and replaying dead letters needs: an id for each, and for a row that a table refused the table's name.
 * Dead letters that are there already get an id that stays, in the background.
 */
export const deadLetterIds: Migration = {
  version: 2,
  name: 'dead_letter_ids',
  statements: ({ database }) => [
    `ALTER TABLE ${database}.dead_letters
  ADD COLUMN IF NOT EXISTS destination LowCardinality(String),
  ADD COLUMN IF NOT EXISTS id UUID DEFAULT generateUUIDv4(),
  ADD INDEX IF NOT EXISTS ix_id id TYPE bloom_filter(0.01) GRANULARITY 4`,
    `ALTER TABLE ${database}.dead_letters MATERIALIZE COLUMN id`,
  ],
};
