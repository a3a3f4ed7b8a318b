import { Injectable, Optional } from '@nestjs/common';
import { KeyedBuckets, TokenBucket, type Rate } from '@activity-gateway/pipeline/host';

/**
 * How many enrollments may be asked for: room for a fleet that is rolled out at once, also from behind one address, none
 * for a flood that does not end. A wrong code bans its address besides.
 */
export const ENROLLMENT_RATES: { readonly overall: Rate; readonly perAddress: Rate } = {
  overall: { perSecond: 100, burst: 2_000 },
  perAddress: { perSecond: 50, burst: 1_000 },
};

/** Limits attempts to enroll, for each source address and overall. */
@Injectable()
export class EnrollmentLimits {
  readonly #overall: TokenBucket;
  readonly #byAddress: KeyedBuckets;

  /** @param now milliseconds; only differences count */
  constructor(@Optional() rates: typeof ENROLLMENT_RATES = ENROLLMENT_RATES, @Optional() now?: () => number) {
    this.#overall = new TokenBucket(rates.overall, now);
    this.#byAddress = new KeyedBuckets(rates.perAddress, undefined, now);
  }

  /** Whether one more attempt from the address may be looked at. */
  admit(sourceIp: string): boolean {
    return this.#byAddress.of(sourceIp).take() === 0 && this.#overall.take() === 0;
  }
}
