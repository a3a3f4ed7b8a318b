const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** How a size is written, as a pattern of JSON Schema. */
export const BYTE_SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)? *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$';

/** Bytes of a size such as `256MiB`, `1.5GB` or a plain number; `undefined` for anything else. */
export function parseByteSize(size: string | number): number | undefined {
  if (typeof size === 'number') return size;
  const match = new RegExp(BYTE_SIZE_PATTERN).exec(size);
  const unit = UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Math.round(parseFloat(size) * unit);
}
