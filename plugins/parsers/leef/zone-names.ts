import { ZoneOffsets } from './zone-offsets.js';

/** A time zone read from a text. */
export interface ZoneReading {
  /** Position after the zone. */
  readonly end: number;
  /** ms east of UTC, or a zone whose offset depends on the date. */
  readonly zone: number | ZoneOffsets;
}

const HOUR_MS = 3_600_000;
const NUMERIC = /(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?!\d)/iy;
const NAMED = /[A-Za-z]+(?: [A-Za-z]+){0,3} Time|[A-Za-z][A-Za-z_]*(?:\/[A-Za-z0-9_+-]+)*/y;
/** Longer texts are no zone's name. */
const MAX_NAME_LENGTH = 48;
const MAX_CACHED = 200;

/** Hours east of UTC by abbreviation; where one has several meanings, the one that most logs mean. */
const HOURS = new Map(
  Object.entries({
    Z: 0,
    UTC: 0,
    UT: 0,
    GMT: 0,
    WET: 0,
    WEST: 1,
    BST: 1,
    CET: 1,
    CEST: 2,
    MEZ: 1,
    MESZ: 2,
    EET: 2,
    EEST: 3,
    SAST: 2,
    MSK: 3,
    IST: 5.5,
    SGT: 8,
    HKT: 8,
    AWST: 8,
    JST: 9,
    KST: 9,
    ACST: 9.5,
    ACDT: 10.5,
    AEST: 10,
    AEDT: 11,
    NZST: 12,
    NZDT: 13,
    BRT: -3,
    ART: -3,
    AST: -4,
    ADT: -3,
    EST: -5,
    EDT: -4,
    CST: -6,
    CDT: -5,
    MST: -7,
    MDT: -6,
    PST: -8,
    PDT: -7,
    AKST: -9,
    AKDT: -8,
    HST: -10,
  }),
);

/** Long names, as Java's `zzzz` and Windows write them, with the abbreviation that has the same offset. */
const LONG_NAMES = new Map(
  Object.entries({
    'coordinated universal time': 'UTC',
    'greenwich mean time': 'GMT',
    'british summer time': 'BST',
    'western european time': 'WET',
    'western european summer time': 'WEST',
    'central european time': 'CET',
    'central european standard time': 'CET',
    'central european summer time': 'CEST',
    'eastern european time': 'EET',
    'eastern european standard time': 'EET',
    'eastern european summer time': 'EEST',
    'moscow standard time': 'MSK',
    'india standard time': 'IST',
    'japan standard time': 'JST',
    'eastern standard time': 'EST',
    'eastern daylight time': 'EDT',
    'central standard time': 'CST',
    'central daylight time': 'CDT',
    'mountain standard time': 'MST',
    'mountain daylight time': 'MDT',
    'pacific standard time': 'PST',
    'pacific daylight time': 'PDT',
    'alaska standard time': 'AKST',
    'alaska daylight time': 'AKDT',
    'hawaii standard time': 'HST',
    'atlantic standard time': 'AST',
    'atlantic daylight time': 'ADT',
  }),
);

/** Zones by IANA name; `undefined` for texts that name none. Bounded: the texts come from peers. */
const ianaZones = new Map<string, ZoneOffsets | undefined>();

/**
 * Reads a time zone: `Z`, `+0200`, `+02:00`, `-5`, `GMT+2`, an abbreviation (`CEST`), a long English name (`Pacific
 * Standard Time`) or an IANA name (`Europe/Berlin`). `undefined` when there is none at the position.
 */
export function readZone(text: string, at: number): ZoneReading | undefined {
  NUMERIC.lastIndex = at;
  const numeric = NUMERIC.exec(text);
  if (numeric !== null) {
    const hours = Number(numeric[2]);
    const minutes = Number(numeric[3] ?? 0);
    if (hours > 18 || minutes > 59) return undefined;
    const offset = (hours * 60 + minutes) * (numeric[1] === '-' ? -60_000 : 60_000);
    return { end: NUMERIC.lastIndex, zone: offset };
  }
  NAMED.lastIndex = at;
  const name = NAMED.exec(text)?.[0];
  if (name === undefined || name.length > MAX_NAME_LENGTH) return undefined;
  const zone = namedZone(name);
  return zone === undefined ? undefined : { end: NAMED.lastIndex, zone };
}

function namedZone(name: string): number | ZoneOffsets | undefined {
  const hours = HOURS.get(LONG_NAMES.get(name.toLowerCase()) ?? name.toUpperCase());
  if (hours !== undefined) return hours * HOUR_MS;
  if (!name.includes('/')) return undefined;
  if (!ianaZones.has(name)) {
    if (ianaZones.size >= MAX_CACHED) ianaZones.clear();
    // A copy, because a string cut out of a line would keep the whole line in memory.
    ianaZones.set(Buffer.from(name).toString(), ianaZone(name));
  }
  return ianaZones.get(name);
}

function ianaZone(name: string): ZoneOffsets | undefined {
  try {
    return new ZoneOffsets(name);
  } catch {
    return undefined;
  }
}
