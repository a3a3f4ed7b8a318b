import { Inject, Injectable } from '@nestjs/common';
import type { Gauge, Logger, Metrics } from '@activity-gateway/pipeline/api';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { DeadLetterStore } from '../clickhouse/types.js';
import { CLICKHOUSE, CONFIG, LOGGER, METRICS } from '../dependencies.js';

const INTERVAL_MS = 60_000;

/** Looks at the size of the dead letters once a minute: many of them mean that something is wrong for long. */
@Injectable()
export class DeadLetterWatch {
  private readonly logger: Logger;
  readonly #rows: Gauge;
  readonly #bytes: Gauge;
  #timer: NodeJS.Timeout | undefined;
  #alert: string | undefined;

  /** @param config more rows or bytes than its limits call for a person */
  constructor(
    @Inject(CLICKHOUSE) private readonly clickhouse: { readonly deadLetters: Pick<DeadLetterStore, 'size'> },
    @Inject(CONFIG)
    private readonly config: { readonly clickhouse: Pick<GatewayConfig['clickhouse'], 'deadLetterAlert'> },
    @Inject(METRICS) metrics: Metrics,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ component: 'dead-letters' });
    this.#rows = metrics.gauge('gateway_dead_letter_rows', 'Dead letters in ClickHouse.');
    this.#bytes = metrics.gauge('gateway_dead_letter_bytes', 'Size of the dead letters on disk, in bytes.');
  }

  /** Why operators should look at the dead letters; `undefined` while they are few. */
  get alert(): string | undefined {
    return this.#alert;
  }

  /** Called by Nest when everything is put together. */
  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.look(), INTERVAL_MS).unref();
  }

  /** Called by Nest at the end. */
  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Looks now. Does not reject: a ClickHouse that cannot be asked is told of elsewhere. */
  async look(): Promise<void> {
    const { logger } = this;
    const limits = this.config.clickhouse.deadLetterAlert;
    const size = await this.clickhouse.deadLetters.size().catch(() => undefined);
    if (size === undefined) return;
    this.#rows.set(size.rows);
    this.#bytes.set(size.bytes);
    const before = this.#alert;
    const large = size.rows > limits.rows || size.bytes > limits.bytes;
    this.#alert = large
      ? `There are ${size.rows} dead letters of ${size.bytes} bytes, more than the configured ${limits.rows} or ${limits.bytes} bytes: GET /api/v1/dead-letters/summary tells why.`
      : undefined;
    if (this.#alert !== undefined && before === undefined)
      logger.warn({ ...size, limits }, 'There are many dead letters');
    if (this.#alert === undefined && before !== undefined)
      logger.info({ ...size }, 'There are few dead letters again');
  }
}
