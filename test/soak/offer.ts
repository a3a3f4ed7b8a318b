/** What an agent would send at its rate, whether or not it is let. */
export class Offer {
  #since = performance.now();
  /** Offered before the rate was changed for the last time. */
  #before = 0;
  /** Sent before that. */
  #sentBefore = 0;

  /** @param perSecond events a second; `null` = as many as can be sent */
  constructor(private perSecond: number | null) {}

  /** A new rate; what was offered and not sent is forgotten. */
  change(perSecond: number | null, sent: number): void {
    this.#before = this.offered(sent);
    this.#sentBefore = sent;
    this.#since = performance.now();
    this.perSecond = perSecond;
  }

  /** Events offered so far by one that has sent so many. */
  offered(sent: number): number {
    return this.#before + (this.perSecond === null ? sent - this.#sentBefore : this.#wanted(this.perSecond));
  }

  /** Events to be sent now. */
  due(sent: number): number {
    return this.perSecond === null ? Infinity : this.#wanted(this.perSecond) - (sent - this.#sentBefore);
  }

  #wanted(perSecond: number): number {
    return Math.floor(((performance.now() - this.#since) / 1_000) * perSecond);
  }
}
