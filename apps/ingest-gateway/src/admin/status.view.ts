import type { InstanceStatus, PipelineStatus } from '@activity-gateway/pipeline/host';
import type { ClickHouseStatus } from '../clickhouse/types.js';
import type { ListenerStatus, ReactorState } from '../listener/types.js';
import type { SettingsSnapshot } from '../settings/index.js';
import { toBanView } from './ban.view.js';
import { iso } from './iso.js';

/** What `GET /api/v1/nam-listener/status` shows: no secrets, times as ISO 8601, UTC. */
export interface StatusView {
  /** Process id of the gateway: where SIGTERM and SIGHUP go. */
  readonly pid: number;
  readonly gateway: { readonly id: string; readonly version: string; readonly startedAt: string };
  readonly listener: object;
  /** One entry a pipeline, summed over the reactors that run it. */
  readonly pipelines: readonly object[];
  readonly clickhouse: ClickHouseStatus;
  readonly settings: SettingsSnapshot;
}

/** The listener with its bans, certificate and reactors. */
export function toListenerView(status: ListenerStatus): object {
  const {
    bans,
    certificate,
    reactors,
    lobby,
    refusedPort,
    limitsReached,
    ended: _ended,
    ...listener
  } = status;
  return {
    ...listener,
    ...(refusedPort && { refusedPort: { ...refusedPort, at: iso(refusedPort.at) } }),
    limitsReached: limitsReached.map((each) => ({ ...each, at: iso(each.at) })),
    bans: bans.map(toBanView),
    ...(certificate && { certificate: { ...certificate, notAfter: iso(certificate.notAfter) } }),
    reactors: reactors.map(toReactorView),
    ...(lobby && { lobby: toReactorView(lobby) }),
  };
}

function toReactorView({ status, ...reactor }: ReactorState): object {
  return { ...reactor, ...(status && { connections: status.connections, rssBytes: status.rssBytes }) };
}

/** Pipelines of all reactors by name; counts are since the start of the data plane, less those of reactors that died. */
export function toPipelineViews(listener: ListenerStatus): object[] {
  const byName = new Map<string, PipelineStatus[]>();
  const reactors: readonly ReactorState[] = [
    ...listener.reactors,
    ...(listener.lobby ? [listener.lobby] : []),
  ];
  for (const pipeline of reactors.flatMap((reactor) => reactor.status?.pipelines ?? [])) {
    byName.set(pipeline.name, [...(byName.get(pipeline.name) ?? []), pipeline]);
  }
  return [...byName].map(([name, parts]) => ({
    name,
    instances: worstOfEach(parts.flatMap((part) => part.instances)).map((instance) => ({
      ...instance,
      since: iso(instance.since),
    })),
    counts: sum(
      [...parts, ...(listener.ended ?? []).filter((ended) => ended.name === name)].map((part) => part.counts),
    ),
    queue: {
      ...sum(parts.map((part) => part.queue)),
      oldestMs: Math.max(...parts.map((part) => part.queue.oldestMs)),
    },
    backPressure: parts.some((part) => part.backPressure),
  }));
}

/** From the best to the worst. */
const STATES: readonly InstanceStatus['state'][] = [
  'ok',
  'stopped',
  'stopping',
  'starting',
  'degraded',
  'failed',
];

/** Each instance once: where it runs in several reactors, as it is in the one that fares worst. */
function worstOfEach(instances: readonly InstanceStatus[]): InstanceStatus[] {
  const worst = new Map<string, InstanceStatus>();
  for (const instance of instances) {
    const before = worst.get(instance.id);
    if (before === undefined || STATES.indexOf(instance.state) > STATES.indexOf(before.state)) {
      worst.set(instance.id, instance);
    }
  }
  return [...worst.values()];
}

type Numbers = { readonly [name: string]: number | Numbers };

/** Adds up numbers by name, inner objects included. */
function sum(parts: readonly object[]): Numbers {
  const result: Record<string, number | Numbers> = {};
  for (const part of parts as readonly Numbers[]) {
    for (const [name, value] of Object.entries(part)) {
      const before = result[name];
      if (typeof value === 'number') result[name] = value + (typeof before === 'number' ? before : 0);
      else result[name] = sum(typeof before === 'object' ? [before, value] : [value]);
    }
  }
  return result;
}
