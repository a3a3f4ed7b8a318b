import { RejectError, type EventRecord, type Transform } from '@activity-gateway/pipeline/api';
import {
  addExtra,
  coerceIp,
  EventTimeWindow,
  extraText,
  KnownKeys,
  parserTransform,
  type Extra,
} from '@activity-gateway/pipeline/helpers';
import type { LeefConfig } from './config.js';
import { leefEvents } from './event-type.js';
import { EventTimes } from './event-times.js';
import { parseLeefLine, type LeefLine } from './leef-line.js';
import { digitsAt } from './scan.js';
import { leefSchema, type LeefMessage } from './schema.js';

const KNOWN_KEYS = new KnownKeys(['ActivityType', 'Message']);

/**
 * Decodes LEEF events, raw lines and JSON messages that carry one.
 * @throws GatewayError `TIME_ZONE_UNKNOWN` | `DURATION_INVALID`
 */
export function createLeefParser(config: LeefConfig): Transform {
  const times = new EventTimes(config.time_zone);
  const window = new EventTimeWindow(config);
  return parserTransform<string | LeefMessage>({
    eventType: leefEvents,
    claims: 'Leef',
    schema: leefSchema,
    decode(message, { receivedAt, origin }) {
      const raw = typeof message === 'string';
      const line = raw ? parseLeefLine(message) : parseMessage(message);
      const timeField = line.values.has('devTime') ? '/devTime' : '';
      const eventTime = window.check(times.of(line, receivedAt), receivedAt, timeField);
      const rest = raw ? undefined : KNOWN_KEYS.rest(message, origin.agentHost);
      return recordOf(line, eventTime, extraOf(line, rest));
    },
  });
}

/** A line that breaks the rules is refused as `Message` when JSON carried it. */
function parseMessage(message: LeefMessage): LeefLine {
  try {
    return parseLeefLine(message.Message);
  } catch (error) {
    if (!(error instanceof RejectError)) throw error;
    throw new RejectError(error.code, '/Message', error.message, error.stage);
  }
}

function recordOf(line: LeefLine, eventTime: number, extra: Extra | undefined): EventRecord {
  const { values } = line;
  return {
    event_time: eventTime,
    leef_version: line.version,
    vendor: line.vendor,
    product: line.product,
    product_version: line.productVersion,
    event_id: line.eventId,
    category: values.get('cat') ?? '',
    severity: uintOrNull(values.get('sev'), 10),
    src: coerceIp(values.get('src')),
    dst: coerceIp(values.get('dst')),
    src_port: uintOrNull(values.get('srcPort'), 65_535),
    dst_port: uintOrNull(values.get('dstPort'), 65_535),
    protocol: values.get('proto') ?? '',
    user_name: values.get('usrName') ?? '',
    policy: values.get('policy') ?? '',
    resource: values.get('resource') ?? '',
    url: values.get('url') ?? '',
    domain: values.get('domain') ?? '',
    attributes: values,
    syslog_host: line.syslog?.host ?? '',
    extra: extraText(extra),
  };
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
