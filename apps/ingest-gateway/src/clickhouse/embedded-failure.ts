import { GatewayError } from '@activity-gateway/pipeline/api';
import { NOT_CONFINED } from './embedded-confinement.js';

/** What the reason for an end is read with. */
export interface FailureContext {
  readonly directory: string;
  readonly port: number;
}

/**
 * Why an embedded server ended, for people.
 * @param message end of what it said on standard error, where ClickHouse names its error code
 * @param cause   exit code, signal, or the error of the start
 */
export function embeddedFailure(message: string, context: FailureContext, cause: unknown): GatewayError {
  const code = /Code: (\d+)\./.exec(message)?.[1];
  if (code === '76') {
    return new GatewayError(
      'CLICKHOUSE_DIRECTORY_IN_USE',
      `Another process uses the ClickHouse data in ${context.directory}.`,
      'Stop the other gateway, or set GATEWAY_DATA_DIR to a directory of its own.',
    );
  }
  if (code === '210') {
    return new GatewayError(
      'CLICKHOUSE_PORT_IN_USE',
      `Port ${context.port} on 127.0.0.1 is in use, so that the embedded ClickHouse cannot listen on it.`,
      'Set CLICKHOUSE_HTTP_PORT to another port, or to 0 for any free one.',
    );
  }
  if (message.includes(NOT_CONFINED)) {
    return new GatewayError(
      'CLICKHOUSE_READER_UNSUPPORTED',
      'The embedded ClickHouse cannot be kept from reading the files of the gateway, so it has no reader here.',
      'Remove clickhouse.reader from gateway.yaml (CLICKHOUSE_READER_USER). It needs Linux 5.19 or newer with Landlock.',
    );
  }
  const said = /Code: \d+\..*/.exec(message)?.[0] ?? lastLine(message);
  const how = cause instanceof Error ? cause.message : ending(cause);
  return new GatewayError(
    'CLICKHOUSE_EMBEDDED_ENDED',
    `The embedded ClickHouse ended (${how})${said === '' ? '' : `: ${said}`}.`,
    `Its log is ${context.directory}/server.log.`,
  );
}

function ending(cause: unknown): string {
  return typeof cause === 'number' ? `exit code ${cause}` : `signal ${String(cause)}`;
}

function lastLine(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Logging '));
  return (lines.at(-1) ?? '').slice(0, 500);
}
