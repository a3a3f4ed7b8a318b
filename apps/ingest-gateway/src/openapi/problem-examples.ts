import { createProblem, statusOfCode, type Problem } from '../admin/http/problem.js';

/** A typical text of every problem that the document names; each code is explained in `docs/reference/errors.md`. */
const DETAILS = {
  BAD_REQUEST: 'The field "name" is missing.',
  SPKI_HASH_INVALID:
    'This is not an SPKI hash. An SPKI hash is the SHA-256 of the public key (DER SubjectPublicKeyInfo), 64 hex digits.',
  HOSTNAME_INVALID:
    'This is not a hostname. Use 1 to 253 of the letters A to Z and a to z, digits, ".", "-" and "_".',
  IP_INVALID: 'This is not an IP address. Use an IPv4 or IPv6 address.',
  UNAUTHORIZED: 'This needs an API key: send the header "Authorization: Bearer <key>".',
  FORBIDDEN: 'This needs a key with the role "admin"; yours has the role "viewer".',
  NOT_FOUND: 'Cannot GET /api/v1/nothing',
  METHOD_NOT_ALLOWED: 'PATCH is not possible here; GET, PUT, DELETE is.',
  AGENT_UNKNOWN: `No agent has the SPKI hash ${'ab'.repeat(32)}.`,
  AGENT_DENIED: `The agent with the SPKI hash ${'ab'.repeat(32)} is denied. POST /api/v1/nam-listener/agents/:spki_hash/allow ends that.`,
  AGENT_NOT_DENIED: `The key ${'ab'.repeat(32)} is not denied. GET /api/v1/nam-listener/denied-agents lists the denied ones.`,
  BAN_UNKNOWN: 'The address 192.0.2.7 is neither banned nor slowed.',
  TOKEN_UNKNOWN: 'No enrollment token has this id. GET /api/v1/nam-listener/enrollment-tokens lists them.',
  API_KEY_UNKNOWN: 'No API key has this id. GET /api/v1/api-keys lists them.',
  DEAD_LETTER_UNKNOWN: 'There is no dead letter of that id. It may have expired.',
  SETTING_UNKNOWN:
    'There is no setting "activitymonitor_batchsize". The nearest name is "activitymonitor_batch_size".',
  SETTING_INVALID: '5 is no value for activitymonitor_batch_size. Use an integer from 10 to 1000 (events).',
  LISTENER_BIND_FAILED:
    'Cannot listen on 0.0.0.0:1515: another process uses it (EADDRINUSE). Choose another port with activitymonitor_tcp_port, or end that process.',
  CERTIFICATE_UNCHANGED:
    'The server has the key that agents know; there is nothing to confirm. GET /api/v1/nam-listener/status shows the certificate in use.',
  INGESTION_DISABLED: 'No agent can enroll: enable_activitymonitor_ingestion is false. Set it to true first.',
  REPLAY_RUNNING: 'Another replay is running. Wait until it has ended.',
  RETENTION_UNSAFE:
    'The retention of dead_letters cannot be changed safely: ClickHouse would delete rows by an earlier TTL (Not enough privileges). Grant the user of the gateway SYSTEM TTL MERGES on the database.',
  LISTENER_NOT_READY:
    'The listener has no server certificate yet. GET /api/v1/nam-listener/status says more.',
  PAYLOAD_TOO_LARGE: 'Request body is too large',
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  MISDIRECTED_REQUEST:
    'The request names a host that this gateway does not answer to (header Host): add the name that clients use to the option http.allowed_hosts of gateway.yaml (GATEWAY_HTTP_ALLOWED_HOSTS).',
  TOO_MANY_REQUESTS: 'Too many requests from your address: try again in 1 s.',
  INTERNAL_SERVER_ERROR:
    'The gateway failed. Its log says more under the error id 3f0c2c5e-5a0e-4f0e-9d0a-2f2f6c1d7a55.',
  CLICKHOUSE_UNAVAILABLE: 'ClickHouse cannot be asked. Try again later.',
  REPLAY_UNAVAILABLE:
    'No reactor could be asked to replay dead letters, or none has answered in time. See the listener in /health/ready, and try again: what was stored is not stored again.',
  STORE_UNAVAILABLE: 'The store is closed.',
} as const;

/** Code of a problem that the document names. */
export type DocumentedCode = keyof typeof DETAILS;

/** All of them. */
export const documentedCodes = Object.keys(DETAILS) as DocumentedCode[];

/** A problem as it may look. */
export function exampleProblem(code: DocumentedCode): Problem {
  return createProblem(statusOfCode(code), code, DETAILS[code], '/api/v1/...');
}
