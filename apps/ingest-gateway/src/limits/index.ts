export { KeyedBuckets } from './keyed-buckets.js';
export { TokenBucket, type Rate } from './token-bucket.js';
