import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { component, listOf, shape, TIME } from '../openapi/component.js';
import { flagSettings, numberSettings } from '../settings/index.js';
import { banViewSchema, exampleBan } from './ban.view.js';
import { retentionChangeSchema } from './retention-admin.service.js';

const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
const TEXT: JsonSchema = { type: 'string' };

const reactorSchema = component('Reactor', {
  type: 'object',
  required: ['state', 'restarts'],
  properties: {
    index: { ...COUNT, description: 'Place among the reactors.' },
    pid: COUNT,
    state: { enum: ['starting', 'ready', 'failed', 'draining', 'stopped'] },
    reason: TEXT,
    restarts: COUNT,
    connections: COUNT,
    rssBytes: { ...COUNT, description: 'Resident memory, bytes.' },
  },
});

const listenerSchema = component('Listener', {
  type: 'object',
  required: ['state', 'host', 'port', 'connections', 'maxConnections', 'rejected', 'bans', 'reactors'],
  properties: {
    state: { enum: ['starting', 'listening', 'stopped', 'failed'] },
    reason: { ...TEXT, description: 'Why it does not listen.' },
    refusedPort: {
      ...shape({ port: COUNT, reason: TEXT, at: TIME }),
      description: 'A port that was asked for and could not be bound; the one before is kept.',
    },
    host: TEXT,
    port: { ...COUNT, description: 'The bound port; 0 while none is bound.' },
    connections: { ...COUNT, description: 'Connections of identified agents.' },
    unidentifiedConnections: {
      ...COUNT,
      description: 'Connections whose peers have not proved to be agents of the allowlist.',
    },
    maxConnections: COUNT,
    rejected: { type: 'object', description: 'Connections closed before any TLS work, by reason.' },
    limitsReached: {
      type: 'array',
      description:
        'Limits at which connections were turned away in the last minute, with the key where it is known.',
      items: {
        type: 'object',
        required: ['limit', 'max', 'refused', 'at'],
        properties: {
          limit: { enum: ['connections', 'key'] },
          max: { ...COUNT, description: 'Connections that the limit allows.' },
          refused: { ...COUNT, description: 'Connections turned away at it since the start.' },
          at: TIME,
          key: { ...TEXT, description: 'SPKI hash that was turned away last.' },
        },
      },
    },
    bans: listOf(banViewSchema),
    certificate: {
      type: 'object',
      required: ['spkiHash', 'notAfter'],
      properties: {
        spkiHash: TEXT,
        notAfter: TIME,
        selfSigned: { type: 'boolean' },
        problem: { ...TEXT, description: 'Why its changed files are not used.' },
        keyChange: {
          ...shape({ from: TEXT, to: TEXT, served: { type: 'boolean' } }),
          description:
            'The files hold another key than agents know: SPKI hash that agents know, SPKI hash in the files, and ' +
            'whether new connections get the latter. Waits for POST /api/v1/nam-listener/certificate/confirm.',
        },
      },
    },
    reactors: listOf(reactorSchema),
    lobby: {
      ...reactorSchema,
      description:
        'The reactor for peers from addresses where no agent was seen in the last 24 hours; absent until there is one.',
    },
  },
});

const pipelineSchema = component('Pipeline', {
  type: 'object',
  required: ['name', 'instances', 'counts', 'queue', 'backPressure'],
  properties: {
    name: TEXT,
    instances: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'plugin', 'state', 'since'],
        properties: { id: TEXT, plugin: TEXT, state: TEXT, reason: TEXT, since: TIME },
      },
    },
    counts: { type: 'object', description: 'Since the start of the listener.' },
    queue: { type: 'object', description: 'What waits for ClickHouse: entries, rows, bytes, age in ms.' },
    backPressure: { type: 'boolean', description: 'Whether agents are being slowed down.' },
  },
});

/** Schema of `StatusView`. Parts of the gateway may tell more than it names. */
export const statusViewSchema = component('Status', {
  type: 'object',
  required: ['pid', 'gateway', 'listener', 'pipelines', 'clickhouse', 'settings'],
  properties: {
    pid: { ...COUNT, description: 'Process id of the gateway, as in run/gateway.pid of the data directory.' },
    gateway: shape({ id: TEXT, version: TEXT, startedAt: TIME }),
    listener: listenerSchema,
    pipelines: listOf(pipelineSchema),
    clickhouse: {
      type: 'object',
      required: ['mode', 'state', 'url'],
      properties: {
        mode: { enum: ['embedded', 'external'] },
        state: { enum: ['starting', 'ok', 'degraded', 'failed', 'stopped'] },
        reason: TEXT,
        url: TEXT,
        version: TEXT,
        schemaVersion: COUNT,
        retention: listOf(retentionChangeSchema),
      },
    },
    settings: {
      type: 'object',
      description: 'The values in force.',
      required: [...Object.keys(numberSettings), ...Object.keys(flagSettings)],
    },
  },
});

/** A status for the document's examples. */
export const exampleStatus = {
  pid: 4700,
  gateway: { id: '6f1e8a90c3d24b57', version: '0.2.0', startedAt: '2026-11-20T08:00:00.000Z' },
  listener: {
    state: 'listening',
    host: '0.0.0.0',
    port: 1514,
    connections: 12,
    unidentifiedConnections: 1,
    maxConnections: 100,
    rejected: { banned: 3, rate: 0, slowed: 0, limit: 0, unidentified: 0 },
    limitsReached: [],
    bans: [exampleBan],
    certificate: { spkiHash: '5'.repeat(64), notAfter: '2027-11-20T00:00:00.000Z', selfSigned: true },
    reactors: [{ index: 0, pid: 4711, state: 'ready', restarts: 0, connections: 12, rssBytes: 104_857_600 }],
  },
  pipelines: [
    {
      name: 'activity',
      instances: [
        {
          id: 'activity/nam_tls',
          plugin: 'sources.nam_tls',
          state: 'ok',
          since: '2026-11-20T08:00:01.000Z',
        },
      ],
      counts: { received: 1_204, delivered: 1_200, deadLettered: 4, deadLettersByCode: { bad_time: 4 } },
      queue: { entries: 0, rows: 0, bytes: 0, oldestMs: 0 },
      backPressure: false,
    },
  ],
  clickhouse: { mode: 'embedded', state: 'ok', url: 'http://127.0.0.1:48123', schemaVersion: 1 },
  settings: Object.fromEntries(
    Object.entries({ ...numberSettings, ...flagSettings }).map(([name, setting]) => [name, setting.default]),
  ),
};
