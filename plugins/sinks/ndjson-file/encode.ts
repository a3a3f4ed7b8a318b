import {
  METADATA_FIELDS,
  type EventRecord,
  type EventType,
  type FieldKind,
  type FieldValue,
  type OriginRun,
  type RecordBatch,
} from '@activity-gateway/pipeline/api';
import { compileFunction, isoTime, quoteText } from '@activity-gateway/pipeline/helpers';

/** A field's value as JSON. */
type ToJson = (value: FieldValue) => string;

/** A record as a JSON object, but for its end. */
type OpenObject = (record: EventRecord) => string;

/** By event type, made once for each. */
const objectsByType = new WeakMap<EventType, OpenObject>();
/** Characters after which lines become bytes: texts four times as long cost an eighth more. */
const PIECE_LENGTH = 16 * 1024;

/** Stands for the id of the entry until that is known: JSON escapes the character wherever a value has it. */
const ENTRY_ID = '\0';

/**
 * Encodes records as NDJSON in UTF-8: one object a line, the fields of the event type in its order under their flat names
 * (`messages.id`), then `received_at`, `agent_spki`, `agent_host`, `source_ip` and `ingest_batch`. Times are ISO 8601 in UTC with ms,
 * maps are objects, numbers above 2^53 are written out in full.
 * @returns the lines, once the id of their entry is known
 */
export function encodeNdjson(batch: RecordBatch): (entryId: string) => Buffer {
  const openObject = openObjectOf(batch.type);
  const texts: string[] = [];
  let text = '';
  let at = 0;
  for (const run of batch.runs) {
    const stamp = `,${metadataOf(run)}\n`;
    for (const end = at + run.count; at < end; at += 1) {
      text += openObject(batch.records[at] ?? {}) + stamp;
      if (text.length < PIECE_LENGTH) continue;
      texts.push(text);
      text = '';
    }
  }
  texts.push(text);
  return (entryId) => {
    const id = JSON.stringify(entryId);
    return Buffer.concat(texts.map((each) => Buffer.from(each.replaceAll(ENTRY_ID, () => id))));
  };
}

function openObjectOf(type: EventType): OpenObject {
  let known = objectsByType.get(type);
  if (known === undefined) objectsByType.set(type, (known = makeOpenObject(type)));
  return known;
}

/**
 * Makes the function for an event type. It is code of its own for each, so that the engine learns one place of one shape
 * for each field. With that, and lines that become bytes in pieces, a file event takes 4.1 us instead of 5.7. Names are
 * quoted, whatever they hold.
 */
function makeOpenObject({ fields }: EventType): OpenObject {
  const names = Object.keys(fields);
  const members = names.map((name, index) => {
    const key = JSON.stringify(name);
    return `${JSON.stringify(`${index === 0 ? '{' : ','}${key}:`)} + write${index}(record[${key}] ?? null)`;
  });
  const scope = Object.fromEntries(
    Object.values(fields).map(({ kind }, index) => [`write${index}`, jsonOf(kind)]),
  );
  return compileFunction<OpenObject>(['record'], `return ${members.join(' + ')};`, scope);
}

/** What stands at the end of every line of a run. */
function metadataOf(run: OriginRun): string {
  const values: Record<Exclude<keyof typeof METADATA_FIELDS, 'ingest_batch'>, string> = {
    received_at: new Date(run.receivedAt).toISOString(),
    agent_spki: run.origin.sender,
    agent_host: run.origin.senderHost,
    source_ip: run.origin.sourceIp,
  };
  return `${JSON.stringify(values).slice(1, -1)},"ingest_batch":${ENTRY_ID}}`;
}

function jsonOf(kind: FieldKind): ToJson {
  switch (kind) {
    case 'time':
      return (value) => (typeof value === 'number' ? `"${isoTime(value)}"` : 'null');
    case 'uint8':
    case 'uint16':
    case 'uint64':
      return (value) =>
        typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))
          ? String(value)
          : JSON.stringify(value);
    case 'bool':
      return (value) => (typeof value === 'boolean' ? String(value) : JSON.stringify(value));
    case 'uint64[]':
      return (value) => (Array.isArray(value) ? `[${value.join(',')}]` : 'null');
    case 'keyword-map':
      return (value) => (value instanceof Map ? JSON.stringify(Object.fromEntries(value)) : 'null');
    case 'text':
    case 'keyword':
    case 'ip':
      return (value) => (typeof value === 'string' ? quoteText(value) : JSON.stringify(value));
    default:
      return (value) => (Array.isArray(value) && value.length === 0 ? '[]' : JSON.stringify(value));
  }
}
