export { KeyedBuckets, TokenBucket, type Rate } from '@app/pipeline/admission';
