import type { MessageChunk, MessageSource } from '@activity-gateway/agent';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';
import { readMessage } from '@activity-gateway/activity';
import { createReadStream } from 'node:fs';
import type { Pacer } from './pacer.js';

/** The longest message that a gateway can be set to take. */
const MAX_LINE_BYTES = 67_108_864;
const LF = Buffer.from('\n');
const KINDS = new Map([
  ['FileSystem', 'file'],
  ['SharePointOnline', 'sharepoint'],
  ['Copilot', 'copilot'],
  ['Leef', 'leef'],
]);

/**
 * Gives the lines of a file, byte for byte, empty ones left out. Agents that share the source share the lines: each
 * is sent once.
 * @throws GatewayError `AGENT_FILE_UNREADABLE`, from the source, also for a line over 64 MiB
 */
export function fileSource(path: string, pacer: Pacer): MessageSource {
  const chunks = readChunks(path, pacer.chunkSize);
  return async (signal) => {
    const next = await chunks.next();
    if (next.done === true) return undefined;
    await pacer.wait(next.value.lines, signal);
    if (!signal.aborted) return next.value.chunk;
    await chunks.return();
    return undefined;
  };
}

interface FileChunk {
  readonly chunk: MessageChunk;
  readonly lines: number;
}

async function* readChunks(path: string, size: number): AsyncGenerator<FileChunk, void, undefined> {
  for await (const lines of readLines(path)) {
    for (let start = 0; start < lines.length; start += size) {
      const part = lines.slice(start, start + size);
      yield { chunk: toChunk(part), lines: part.length };
    }
  }
}

async function* readLines(path: string): AsyncGenerator<Buffer[], void, undefined> {
  const framer = new LineFramer(MAX_LINE_BYTES);
  try {
    for await (const bytes of createReadStream(path)) {
      yield framer.push(bytes as Buffer);
      if (framer.overflowed) throw new Error(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    }
  } catch (error) {
    throw new GatewayError('AGENT_FILE_UNREADABLE', `${path} cannot be sent: ${(error as Error).message}.`);
  }
  const last = framer.end();
  if (last !== undefined) yield [last];
}

function toChunk(lines: readonly Buffer[]): MessageChunk {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const kind = kindOf(line);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return { data: Buffer.concat(lines.flatMap((line) => [line, LF])), counts };
}

function kindOf(line: Buffer): string {
  const message = readMessage(line);
  return message.kind === 'event' ? (KINDS.get(message.event.type) ?? 'unknown') : 'no event';
}
