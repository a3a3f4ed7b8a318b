import type { ClickHouseClient, ResponseHeaders } from '@clickhouse/client';
import { excerpt } from '@activity-gateway/pipeline/helpers';

/** What every request of a client resolves with. */
interface Answered {
  readonly response_headers?: ResponseHeaders;
  /** An insert without rows asks nobody. */
  readonly executed?: boolean;
  /** Where the body is still to be read. */
  readonly stream?: unknown;
  readonly close?: () => void;
}

const REQUESTS = new Set<string | symbol>(['query', 'command', 'exec', 'insert']);

/**
 * A client whose requests fail when a status of success comes from something else than ClickHouse, such as a page of a
 * proxy: that is neither a table without rows nor a statement that was run. ClickHouse sends a summary with each answer.
 */
export function checkAnswers(client: ClickHouseClient): ClickHouseClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const method = member.bind(target) as (...given: unknown[]) => unknown;
      if (!REQUESTS.has(name)) return method;
      return async (...given: unknown[]) => {
        const answer = (await method(...given)) as Answered;
        check(answer);
        return answer;
      };
    },
  });
}

/** @throws Error when the answer has no summary; what is left of it is not read, and its connection is closed */
function check(answer: Answered): void {
  const { response_headers: headers = {}, executed, stream, close } = answer;
  if (executed === false || typeof headers['x-clickhouse-summary'] === 'string') return;
  if (close !== undefined) close.call(answer);
  else if (isDestroyable(stream)) stream.destroy();
  const shown = ['content-type', 'server', 'location']
    .map((name) => [name, excerpt(Buffer.from(String(headers[name] ?? '')), 80)] as const)
    .flatMap(([name, value]) => (value === '' ? [] : [`${name} ${value}`]));
  const said = shown.length === 0 ? 'without headers that tell its source' : shown.join(', ');
  throw new Error(
    `The answer is not one of ClickHouse (${said}). Check what answers at the address of ClickHouse.`,
  );
}

function isDestroyable(stream: unknown): stream is { destroy(): void } {
  return typeof stream === 'object' && stream !== null && 'destroy' in stream;
}
