import { Inject, Injectable } from '@nestjs/common';
import type { LimitReached } from '@activity-gateway/pipeline/host';
import type { ClickHouseService } from '../clickhouse/types.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { DeadLetterWatch } from '../dead-letters/dead-letter-watch.js';
import { CLICKHOUSE, STORE } from '../dependencies.js';
import { KEY_CHANGE_HINT, keyChangeMessage } from '../listener/key-change.js';
import type { ListenerStatus } from '../listener/types.js';
import type { Store } from '../store/index.js';

/** State of one component; the reason is for operators. */
export interface ComponentHealth {
  readonly status: 'ok' | 'degraded' | 'failed' | 'disabled';
  readonly reason?: string;
}

/** What `/health/ready` answers. */
export interface Readiness {
  /**
   * `failed`: agents cannot be served; `disabled`: they are not, because ingestion is switched off; `degraded`: they are,
   * but something needs a person or time.
   */
  readonly status: 'ok' | 'degraded' | 'failed' | 'disabled';
  readonly components: Readonly<
    Record<'store' | 'clickhouse' | 'listener' | 'reactors' | 'pipelines' | 'deadLetters', ComponentHealth>
  >;
}

const OK: ComponentHealth = { status: 'ok' };
const OFF_REASON = 'enable_activitymonitor_ingestion is false';
const SEVEREST_FIRST = ['failed', 'degraded'] as const;

/** Asks every component how it is. */
@Injectable()
export class HealthService {
  constructor(
    @Inject(STORE) private readonly store: Pick<Store, 'status'>,
    @Inject(CLICKHOUSE) private readonly clickhouse: Pick<ClickHouseService, 'status'>,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'status' | 'enabled'>,
    @Inject(DeadLetterWatch) private readonly deadLetters: Pick<DeadLetterWatch, 'alert'>,
  ) {}

  /**
   * Whether agents can be served (ADR 0007). Without listener or reactor they cannot. A ClickHouse that is down
   * only degrades: events are held, and agents slowed down when there is no more room. So does a MongoDB that has gone:
   * agents that were on the allowlist then are served.
   */
  readiness(): Readiness {
    const { enabled } = this.dataPlane;
    const listener = this.dataPlane.status();
    const components = {
      store: this.#store(),
      clickhouse: this.#clickhouse(),
      listener: enabled ? listenerHealth(listener) : { status: 'disabled' as const, reason: OFF_REASON },
      reactors: enabled ? reactorsHealth(listener) : { status: 'disabled' as const },
      pipelines: pipelinesHealth(listener),
      deadLetters: this.#deadLetters(),
    };
    const states = new Set(Object.values(components).map((component) => component.status));
    const severest = SEVEREST_FIRST.find((status) => states.has(status)) ?? 'ok';
    return { status: enabled ? severest : 'disabled', components };
  }

  #store(): ComponentHealth {
    const { state, reason } = this.store.status();
    return state === 'ok' ? OK : { status: state, reason: reason ?? `The store is ${state}.` };
  }

  #clickhouse(): ComponentHealth {
    const { state, reason } = this.clickhouse.status();
    return state === 'ok' ? OK : { status: 'degraded', reason: reason ?? `ClickHouse is ${state}.` };
  }

  #deadLetters(): ComponentHealth {
    const { alert } = this.deadLetters;
    return alert === undefined ? OK : { status: 'degraded', reason: alert };
  }
}

function listenerHealth(listener: ListenerStatus): ComponentHealth {
  const { state, reason, certificate, limitsReached } = listener;
  if (state !== 'listening') return { status: 'failed', reason: reason ?? `The listener is ${state}.` };
  const reasons = limitsReached.map(limitReason);
  if (certificate?.problem !== undefined) {
    reasons.unshift(`The old server certificate is in use: ${certificate.problem}`);
  } else if (certificate?.keyChange !== undefined) {
    reasons.unshift(`${keyChangeMessage(certificate.keyChange)}. ${KEY_CHANGE_HINT}`);
  }
  return reasons.length === 0 ? OK : { status: 'degraded', reason: reasons.join(' ') };
}

function limitReason({ limit, max, key }: LimitReached): string {
  return limit === 'connections'
    ? `Connections were refused in the last minute: all ${max} of activitymonitor_max_connections are in use. Raise the setting.`
    : `Connections of the key ${key ?? ''} were closed in the last minute: all ${max} of listener.max_connections_per_key are in use and active.`;
}

/** A surplus reactor that drains is on its way out, and no fault. */
function reactorsHealth(listener: ListenerStatus): ComponentHealth {
  const reactors = listener.reactors.filter(({ state }) => state !== 'draining');
  const ready = reactors.filter((reactor) => reactor.state === 'ready').length;
  if (ready > 0 && ready === reactors.length) return OK;
  const reasons = reactors.map((reactor) => reactor.reason).filter((reason) => reason !== undefined);
  const reason = [`${ready} of ${reactors.length} reactors are ready.`, ...reasons].join(' ');
  return { status: ready > 0 ? 'degraded' : 'failed', reason };
}

function pipelinesHealth({ reactors }: ListenerStatus): ComponentHealth {
  const bad = reactors
    .flatMap((reactor) => reactor.status?.pipelines ?? [])
    .flatMap((pipeline) => pipeline.instances)
    .filter((instance) => instance.state === 'failed' || instance.state === 'degraded');
  if (bad.length === 0) return OK;
  const reasons = bad.map(
    ({ id, state, reason: why }) => `${id} is ${state}${why === undefined ? '' : `: ${why}`}`,
  );
  // Each reactor has the same instances, and most often for the same reason.
  return { status: 'degraded', reason: [...new Set(reasons)].join('; ') };
}
