/** The files hold another key than the one that agents know this server by. */
export interface KeyChange {
  /** SPKI hash that agents have pinned. */
  readonly from: string;
  /** SPKI hash of the pair in the files. */
  readonly to: string;
  /** Whether new connections get the pair in the files already: so it is after a restart. */
  readonly served: boolean;
}

/** What to do about a change of the server's key. */
export const KEY_CHANGE_HINT =
  'Put the old certificate and key back, or accept the new key: `gateway certificate confirm`. ' +
  'Agents that pinned the old key then have to enroll again.';

/** What a change of the server's key means now, without what to do. */
export function keyChangeMessage({ served }: KeyChange): string {
  return served
    ? 'Server key changed since the last start; agents that pinned the old key do not connect'
    : 'Server key changed in the certificate files; the old pair stays in use';
}
