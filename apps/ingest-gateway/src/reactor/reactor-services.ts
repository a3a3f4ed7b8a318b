import type { Endpoint, Listen } from '@activity-gateway/pipeline/api';
import { createListen, type TlsIdentity } from '@activity-gateway/pipeline/host';
import type {
  AgentServices,
  Allowlist,
  AllowlistEntry,
  EnrollmentOutcome,
  EnrollmentRequest,
} from '@activity-gateway/activity';
import { createLiveValue } from '@activity-gateway/pipeline/helpers';
import { ConnectionInbox } from './connection-inbox.js';
import type { ControlNotice, ReactorChannel, ReactorConfiguration } from './messages.js';
import { PresenceReporter } from './presence-reporter.js';
import { ReactorStreamClaims } from './stream-claims.js';

/** How long the control plane has to decide on an enrollment, ms. */
const ENROLLMENT_TIMEOUT_MS = 10_000;

/** Messages that replace a snapshot. */
export type SnapshotMessage = Extract<
  ControlNotice,
  { type: 'settings' | 'credit' | 'allowlist' | 'tls-identity' | 'endpoints' }
>;

/** What a reactor's plugins may use of the gateway: snapshots from the control plane, and messages to it. */
export class ReactorServices implements AgentServices {
  readonly connectionSettings;
  readonly flowSettings;
  readonly allowlist;
  readonly tlsIdentity;
  readonly endpoints;
  readonly connections: ConnectionInbox;
  readonly listen: Listen;
  readonly presence: PresenceReporter;
  readonly streamClaims: ReactorStreamClaims;

  constructor(
    configuration: ReactorConfiguration,
    private readonly channel: ReactorChannel,
  ) {
    this.connectionSettings = createLiveValue(configuration.settings.connection);
    this.flowSettings = createLiveValue(configuration.settings.flow);
    this.allowlist = createLiveValue(allowlistOf(configuration.allowlist));
    this.tlsIdentity = createLiveValue<TlsIdentity | undefined>(configuration.tlsIdentity ?? undefined);
    this.endpoints = createLiveValue(endpointsOf(configuration.endpoints));
    this.connections = new ConnectionInbox(channel);
    this.listen = createListen(this);
    this.presence = new PresenceReporter(channel);
    this.streamClaims = new ReactorStreamClaims(channel);
  }

  async enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    const outcome = await this.channel.request('enroll', request, ENROLLMENT_TIMEOUT_MS);
    return outcome ?? { status: 'Unavailable' };
  }

  /** Replaces a snapshot; whoever uses it is told. */
  replace(message: SnapshotMessage): void {
    switch (message.type) {
      case 'settings':
        this.connectionSettings.set(message.settings.connection);
        this.flowSettings.set(message.settings.flow);
        return;
      case 'credit':
        return this.flowSettings.set({ ...this.flowSettings.current, ...message.credit });
      case 'allowlist':
        return this.allowlist.set(allowlistOf(message.entries));
      case 'tls-identity':
        return this.tlsIdentity.set(message.identity ?? undefined);
      case 'endpoints':
        return this.endpoints.set(endpointsOf(message.endpoints));
    }
  }
}

function allowlistOf(entries: readonly AllowlistEntry[]): Allowlist {
  return new Map(entries.map((entry) => [entry.spkiHash, entry]));
}

function endpointsOf(endpoints: Readonly<Record<string, Endpoint>>): ReadonlyMap<string, Endpoint> {
  return new Map(Object.entries(endpoints));
}
