export {
  BufferPool,
  compileFunction,
  FlatJson,
  isoTime,
  Line,
  parseEventTime,
  quoteText,
  utcMidnight,
  type BufferPoolSizes,
  type Keyed,
} from '../fast/index.js';
export * from './address-group.js';
export * from './backoff.js';
export * from './cidr.js';
export { oneOf, requiredWhen, type Rule } from './generate-decoder.js';
export * from './host.js';
export * from './coerce.js';
export * from './coerce-ip.js';
export * from './columns.js';
export * from './compile-schema.js';
export * from './define-parser.js';
export * from './encode-only.js';
export * from './event-time.js';
export { parseExact } from './exact-numbers.js';
export * from './extra.js';
export * from './http-answer.js';
export * from './ip.js';
export { countKeys, endOfString, findRepeatedKey, JsonShape, MAX_DEPTH } from './json-shape.js';
export * from './line-framer.js';
export * from './live-value.js';
export { octetFrameAt } from './octet-count.js';
export * from './parser-transform.js';
export * from './process-identity.js';
export { pointer } from './reject.js';
export * from './public-key-hash.js';
export * from './schema.js';
export { setAsideCounter } from './set-aside-counter.js';
export * from './sleep.js';
export * from './sequence-ranges.js';
