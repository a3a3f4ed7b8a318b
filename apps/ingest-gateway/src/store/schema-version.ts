import { GatewayError } from '@activity-gateway/pipeline/api';

/** Rises when an older version of the gateway would misread what this one stores. */
const STORE_SCHEMA = 1;

/** The version that a store without one gets: one of before there was a version has the first. */
export const FIRST_SCHEMA = String(STORE_SCHEMA);

/**
 * Refuses a store that a later version of the gateway has written.
 * @param found  the version that the store says
 * @param where  names the store, as in "The store in /data"
 * @param backup names what to restore, as in "the data directory"
 * @throws GatewayError `STORE_SCHEMA_NEWER`
 */
export function refuseNewerSchema(found: unknown, where: string, backup: string): void {
  if (Number(found) <= STORE_SCHEMA) return;
  throw new GatewayError(
    'STORE_SCHEMA_NEWER',
    `The store in ${where} has schema version ${String(found)}; this gateway knows versions up to ${STORE_SCHEMA}. Nothing was changed.`,
    `Start the newer version of the gateway again, or restore a backup of ${backup} from before its upgrade.`,
  );
}
