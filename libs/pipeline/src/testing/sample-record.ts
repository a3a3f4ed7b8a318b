import {
  defineEventType,
  type EventRecord,
  type EventType,
  type FieldKind,
  type FieldSpec,
  type FieldValue,
} from '../api/index.js';

/**
 * Which values a sample record holds. `plain`: what senders usually send. `empty`: null where the field allows it, else
 * the empty string, 0, false, an empty array or map. `extreme`: the largest numbers, control characters, any script,
 * lone surrogates, long texts, several elements. `repeated`: like `plain`, with the same values whatever the index.
 */
export type SampleVariant = 'plain' | 'empty' | 'extreme' | 'repeated';

/** All variants. */
export const SAMPLE_VARIANTS: readonly SampleVariant[] = ['plain', 'empty', 'extreme', 'repeated'];

/** Largest value of `uint64`. */
export const MAX_UINT64 = 18_446_744_073_709_551_615n;
/** The last ms that ClickHouse's DateTime64(3) can say. */
const MAX_TIME = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
const TIME = Date.UTC(2026, 10, 20, 9, 15, 2, 187);

const EXTREME_TEXTS = [
  '\u0000\u0001\t\r\n"\\\'`{}|\u2028\u007F',
  'Übergröße Ελληνικά 日本語 العربية 👩‍👩‍👧‍👦 a\u0301\uFEFF\uFFFD',
  '\uD800 alone \uDC00',
  'x'.repeat(40_000),
];

/**
 * Makes a record of an event type: every field, in order, parts of a nested group of one length.
 * @param index makes records of one variant differ
 */
export function sampleRecord(type: EventType, variant: SampleVariant = 'plain', index = 0): EventRecord {
  const record: EventRecord = {};
  for (const [name, spec] of Object.entries(type.fields)) record[name] = sampleValue(spec, variant, index);
  return record;
}

/** Records of an event type in all variants, `count` of each. */
export function sampleRecords(type: EventType, count = 3): EventRecord[] {
  return SAMPLE_VARIANTS.flatMap((variant) =>
    Array.from({ length: count }, (_, index) => sampleRecord(type, variant, index)),
  );
}

function sampleValue(spec: FieldSpec, variant: SampleVariant, index: number): FieldValue {
  if (variant === 'empty') return spec.nullable === true ? null : EMPTY[spec.kind];
  if (variant === 'extreme') return extremeValue(spec.kind, index);
  return plainValue(spec.kind, variant === 'repeated' ? 0 : index);
}

const EMPTY: Readonly<Record<FieldKind, FieldValue>> = {
  time: 0,
  text: '',
  keyword: '',
  ip: '0.0.0.0',
  uint8: 0,
  uint16: 0,
  uint64: 0,
  bool: false,
  'text[]': [],
  'keyword[]': [],
  'uint64[]': [],
  'bool[]': [],
  'keyword-map': new Map(),
};

function plainValue(kind: FieldKind, index: number): FieldValue {
  const values: Record<FieldKind, FieldValue> = {
    time: TIME + index,
    text: `D:\\Finance\\q${index}.xlsx`,
    keyword: `keyword ${index % 3}`,
    ip: index % 2 === 0 ? `10.0.0.${index % 256}` : `2001:db8::${index.toString(16)}`,
    uint8: index % 256,
    uint16: 1000 + index,
    uint64: 4096 * (index + 1),
    bool: index % 2 === 0,
    'text[]': ['one', `two ${index}`],
    'keyword[]': ['one', 'two'],
    'uint64[]': [1, 2 + index],
    'bool[]': [true, index % 2 === 0],
    'keyword-map': new Map([
      ['src', '10.1.1.5'],
      ['index', String(index)],
    ]),
  };
  return values[kind];
}

function extremeValue(kind: FieldKind, index: number): FieldValue {
  const text = EXTREME_TEXTS[index % EXTREME_TEXTS.length] ?? '';
  const values: Record<FieldKind, FieldValue> = {
    time: MAX_TIME - index,
    text,
    keyword: `${index} ${text}`,
    ip: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    uint8: 255,
    uint16: 65_535,
    uint64: MAX_UINT64,
    bool: true,
    'text[]': ['', ...EXTREME_TEXTS],
    'keyword[]': ['', ...EXTREME_TEXTS],
    'uint64[]': [0, Number.MAX_SAFE_INTEGER, 2n ** 53n, MAX_UINT64 - 1n, MAX_UINT64],
    'bool[]': [true, false, true, false, false],
    'keyword-map': new Map([
      ['', ''],
      ['__proto__', text],
      ...EXTREME_TEXTS.map((each) => [each, each] as const),
    ]),
  };
  return values[kind];
}

/** A type with a field of each kind, once for null where it may be. */
export const everyKind = defineEventType({
  name: 't',
  fields: {
    n: { kind: 'uint64' },
    time: { kind: 'time' },
    time_or_not: { kind: 'time', nullable: true },
    text: { kind: 'text' },
    text_or_not: { kind: 'text', nullable: true },
    keyword: { kind: 'keyword' },
    keyword_or_not: { kind: 'keyword', nullable: true },
    ip: { kind: 'ip' },
    ip_or_not: { kind: 'ip', nullable: true },
    u8: { kind: 'uint8' },
    u8_or_not: { kind: 'uint8', nullable: true },
    u16: { kind: 'uint16' },
    u16_or_not: { kind: 'uint16', nullable: true },
    u64: { kind: 'uint64' },
    u64_or_not: { kind: 'uint64', nullable: true },
    bool: { kind: 'bool' },
    bool_or_not: { kind: 'bool', nullable: true },
    'group.texts': { kind: 'text[]' },
    'group.keywords': { kind: 'keyword[]' },
    numbers: { kind: 'uint64[]' },
    bools: { kind: 'bool[]' },
    map: { kind: 'keyword-map' },
  },
});
