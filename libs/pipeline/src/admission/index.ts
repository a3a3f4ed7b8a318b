export { addressGroup, parseAddressGroup } from '../helpers/index.js';
export { Admission } from './admission.js';
export { KeyedBuckets } from './keyed-buckets.js';
export { KnownAddresses, type KnownAddress } from './known-addresses.js';
export type { Effect, Penalty } from './penalties.js';
export { TokenBucket, type Rate } from './token-bucket.js';
export type * from './types.js';
