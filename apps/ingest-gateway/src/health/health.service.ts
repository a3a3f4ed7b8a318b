import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
import type { DeadLetterWatch } from '../dead-letters/dead-letter-watch.js';
import type { ListenerStatus } from '../listener/types.js';
import type { InstallationRepository } from '../store/index.js';

/** State of one component; the reason is for operators. */
export interface ComponentHealth {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly reason?: string;
}

/** What `/health/ready` answers. */
export interface Readiness {
  /** `failed`: agents cannot be served; `degraded`: they are, but something needs a person or time. */
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly components: Readonly<
    Record<'store' | 'clickhouse' | 'listener' | 'reactors' | 'pipelines' | 'deadLetters', ComponentHealth>
  >;
}

const OK: ComponentHealth = { status: 'ok' };

/** Asks every component how it is. */
export class HealthService {
  constructor(
    private readonly installation: Pick<InstallationRepository, 'get'>,
    private readonly clickhouse: Pick<ClickHouseService, 'status'>,
    private readonly dataPlane: Pick<DataPlaneHost, 'status'>,
    private readonly deadLetters: Pick<DeadLetterWatch, 'alert'>,
  ) {}

  /**
   * Whether agents can be served (ADR 0007). Without listener, reactor or store they cannot; a ClickHouse that is down
   * only degrades: events are held, and agents slowed down when there is no more room.
   */
  async readiness(): Promise<Readiness> {
    const listener = this.dataPlane.status();
    const components = {
      store: await this.#store(),
      clickhouse: this.#clickhouse(),
      listener: listenerHealth(listener),
      reactors: reactorsHealth(listener),
      pipelines: pipelinesHealth(listener),
      deadLetters: this.#deadLetters(),
    };
    const states = new Set(Object.values(components).map((component) => component.status));
    const status = states.has('failed') ? 'failed' : states.has('degraded') ? 'degraded' : 'ok';
    return { status, components };
  }

  async #store(): Promise<ComponentHealth> {
    try {
      await this.installation.get('gateway_id');
      return OK;
    } catch (error) {
      return { status: 'failed', reason: (error as Error).message };
    }
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

function listenerHealth({ state, reason }: ListenerStatus): ComponentHealth {
  return state === 'listening' ? OK : { status: 'failed', reason: reason ?? `The listener is ${state}.` };
}

function reactorsHealth({ reactors }: ListenerStatus): ComponentHealth {
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
  const reason = bad.map(
    ({ id, state, reason: why }) => `${id} is ${state}${why === undefined ? '' : `: ${why}`}`,
  );
  return { status: 'degraded', reason: reason.join('; ') };
}
