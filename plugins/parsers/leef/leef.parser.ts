import { RejectError, type FieldValue } from '@activity-gateway/pipeline/api';
import {
  addExtra,
  coerceIp,
  defineParser,
  from,
  type Column,
  type EventTimeOptions,
  type Extra,
} from '@activity-gateway/pipeline/helpers';
import { AGENT_HOST } from '@activity-gateway/activity';
import { EventTimes } from './event-times.js';
import { parseLeefLine, type LeefLine } from './leef-line.js';
import { digitsAt } from './scan.js';

/** A LEEF event as JSON carries it. */
interface LeefMessage {
  readonly Message: string;
}

/** Options of `parsers.leef`. */
interface LeefOptions extends EventTimeOptions {
  /** IANA name. */
  readonly time_zone: string;
}

interface Prepared {
  readonly line: LeefLine;
  readonly time: number;
}

const keyword = (read: (line: LeefLine) => string): Column =>
  from('keyword', ({ line }: Prepared) => read(line));
const text = (key: string): Column => from('text', ({ line }: Prepared) => line.values.get(key) ?? '');
const ip = (key: string): Column =>
  from('ip', ({ line }: Prepared) => coerceIp(line.values.get(key)), { nullable: true });
const uint = (kind: 'uint8' | 'uint16', key: string, max: number): Column =>
  from(kind, ({ line }: Prepared): FieldValue => uintOrNull(line.values.get(key), max), { nullable: true });

/** Decodes LEEF events, raw lines and JSON messages that carry one, into `leef_events`. Keys and meaning: `docs/reference/events.md`, LEEF. */
export const leefParser = defineParser<string | LeefMessage, Prepared, LeefOptions>({
  id: 'parsers.leef',
  stability: 'beta',
  summary: 'Decodes LEEF 1.0 and 2.0 events of any product, with or without syslog header, raw or in JSON.',
  claims: 'Leef',
  hostKey: AGENT_HOST,
  eventType: {
    name: 'leef_events',
    type: 'leef',
    storage: {
      orderBy: ['vendor', 'product', 'syslog_host'],
      indexes: { user_name: 'value', src: 'value', dst: 'value', resource: 'words' },
    },
    search: {
      actor: ['user_name'],
      host: ['syslog_host'],
      action: ['event_id'],
      object: ['resource', 'url'],
      address: ['src', 'dst'],
    },
  },
  options: {
    time_zone: {
      type: 'string',
      minLength: 1,
      default: 'UTC',
      description:
        'Time zone of times that name none, as an IANA name such as Europe/Berlin. Holds for devTime and for syslog headers.',
    },
  },
  // A raw line, or a message whose further keys are kept in `extra`.
  schema: {
    type: ['string', 'object'],
    required: ['Message'],
    properties: { Message: { type: 'string', minLength: 1 } },
  },
  keys: { Message: {} },
  prepare: (options, window) => {
    const times = new EventTimes(options.time_zone);
    return (message, { receivedAt }) => {
      const line = typeof message === 'string' ? parseLeefLine(message) : parseMessage(message);
      const field = line.values.has('devTime') ? '/devTime' : '';
      return { line, time: window.check(times.of(line, receivedAt), receivedAt, field) };
    };
  },
  columns: {
    event_time: from('time', ({ time }: Prepared) => time),
    leef_version: keyword(({ version }) => version),
    vendor: keyword(({ vendor }) => vendor),
    product: keyword(({ product }) => product),
    product_version: keyword(({ productVersion }) => productVersion),
    event_id: keyword(({ eventId }) => eventId),
    category: keyword(({ values }) => values.get('cat') ?? ''),
    severity: uint('uint8', 'sev', 10),
    src: ip('src'),
    dst: ip('dst'),
    src_port: uint('uint16', 'srcPort', 65_535),
    dst_port: uint('uint16', 'dstPort', 65_535),
    protocol: keyword(({ values }) => values.get('proto') ?? ''),
    user_name: text('usrName'),
    policy: keyword(({ values }) => values.get('policy') ?? ''),
    resource: text('resource'),
    url: text('url'),
    domain: keyword(({ values }) => values.get('domain') ?? ''),
    attributes: from('keyword-map', ({ line }: Prepared) => line.values),
    syslog_host: keyword(({ syslog }) => syslog?.host ?? ''),
  },
  extra: (rest, { line }) => extraOf(line, rest),
});

/** A line that breaks the rules is refused as `Message` when JSON carried it. */
function parseMessage(message: LeefMessage): LeefLine {
  try {
    return parseLeefLine(message.Message);
  } catch (error) {
    if (!(error instanceof RejectError)) throw error;
    throw new RejectError(error.code, '/Message', error.message, error.stage);
  }
}

/** Adds what the columns and `attributes` do not hold, so that nothing sent is lost. */
function extraOf(line: LeefLine, rest: Extra | undefined): Extra | undefined {
  let extra = rest;
  if (line.prefix !== '') extra = addOwn(extra, 'syslog_header', line.prefix);
  if (line.duplicates !== undefined) {
    extra = addOwn(extra, 'duplicates', Object.fromEntries(line.duplicates));
  }
  if (line.unparsed !== undefined) extra = addOwn(extra, 'unparsed', line.unparsed);
  return extra;
}

/** A key of ours gives way to one of the message. */
function addOwn(extra: Extra | undefined, key: string, value: unknown): Extra {
  let free = key;
  while (extra !== undefined && Object.hasOwn(extra, free)) free = `_${free}`;
  return addExtra(extra, free, value);
}

/** A whole number up to `max` of at most five digits; anything else stays only in `attributes`. */
function uintOrNull(text: string | undefined, max: number): number | null {
  if (text === undefined) return null;
  const digits = text.trim();
  if (digits === '' || digits.length > 5) return null;
  const value = digitsAt(digits, 0, digits.length);
  return value !== -1 && value <= max ? value : null;
}
