const INTEGER = /^[-+]?[0-9]+$/;
const RADIX = /^0(o[0-7]+|x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INFINITE = /^[-+]?\.(inf|Inf|INF)$/;

/** The value of a plain text by the core schema of YAML 1.2 (section 10.3.2). */
export function coreScalar(text: string): string | number | boolean | null {
  const plain = text.trim();
  if (/^(null|Null|NULL|~|)$/.test(plain)) return null;
  if (/^(true|True|TRUE)$/.test(plain)) return true;
  if (/^(false|False|FALSE)$/.test(plain)) return false;
  if (INTEGER.test(plain) || RADIX.test(plain) || FLOAT.test(plain)) return Number(plain);
  if (INFINITE.test(plain)) return plain.startsWith('-') ? -Infinity : Infinity;
  return /^\.(nan|NaN|NAN)$/.test(plain) ? NaN : text;
}
