import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
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
    Record<'store' | 'clickhouse' | 'listener' | 'reactors' | 'pipelines', ComponentHealth>
  >;
}

const OK: ComponentHealth = { status: 'ok' };

/** Asks every component how it is. */
export class HealthService {
  constructor(
    private readonly installation: Pick<InstallationRepository, 'get'>,
    private readonly clickhouse: Pick<ClickHouseService, 'status'>,
    private readonly dataPlane: Pick<DataPlaneHost, 'status'>,
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
}

function listenerHealth({ state, reason, certificate }: ListenerStatus): ComponentHealth {
  if (state === 'listening' && certificate?.problem !== undefined) {
    return { status: 'degraded', reason: `The old server certificate is in use: ${certificate.problem}` };
  }
  return state === 'listening' ? OK : { status: 'failed', reason: reason ?? `The listener is ${state}.` };
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
