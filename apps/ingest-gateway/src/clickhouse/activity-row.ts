/** A column as ClickHouse describes it in a result. */
export interface ResultColumn {
  readonly name: string;
  readonly type: string;
}

type Convert = (value: unknown) => unknown;

/**
 * How a column's values are shown: addresses that are IPv4 in an IPv6 column as IPv4, 64-bit integers as numbers where
 * a number can hold them (the result carries them as text, which loses nothing). `undefined`: as they come.
 */
export function converterFor(type: string): Convert | undefined {
  const inner = /^Array\((.*)\)$/.exec(type)?.[1];
  if (inner !== undefined) {
    const convert = converterFor(inner);
    return convert && ((value) => (Array.isArray(value) ? value.map(convert) : value));
  }
  if (/\bIPv6\b/.test(type)) return (value) => (typeof value === 'string' ? unmapIp(value) : value);
  if (/\bU?Int64\b/.test(type)) return (value) => (typeof value === 'string' ? safeNumber(value) : value);
  return undefined;
}

/** Rows of a compact result as objects, `type` first and the time second, as `event_time` whatever column it is in. */
export function toObjects<T extends string>(
  type: T,
  time: string,
  columns: readonly ResultColumn[],
  rows: readonly (readonly unknown[])[],
): (Record<string, unknown> & { type: T; event_time: string })[] {
  const converters = columns.map((column) => converterFor(column.type));
  return rows.map((row) => {
    const event: Record<string, unknown> & { type: T; event_time: string } = { type, event_time: '' };
    columns.forEach((column, index) => {
      const convert = converters[index];
      event[column.name] = convert === undefined ? row[index] : convert(row[index]);
    });
    if (event.event_time === '') event.event_time = String(event[time]);
    return event;
  });
}

function unmapIp(text: string): string {
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
}

function safeNumber(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
