import { defineEventType } from '@activity-gateway/pipeline/api';

/** LEEF events of any product, table `leef_events`. Keys and meaning: `docs/EVENTS.md`, LEEF. */
export const leefEvents = defineEventType({
  name: 'leef_events',
  type: 'leef',
  fields: {
    event_time: { kind: 'time' },
    leef_version: { kind: 'keyword' },
    vendor: { kind: 'keyword' },
    product: { kind: 'keyword' },
    product_version: { kind: 'keyword' },
    event_id: { kind: 'keyword' },
    category: { kind: 'keyword' },
    severity: { kind: 'uint8', nullable: true },
    src: { kind: 'ip', nullable: true },
    dst: { kind: 'ip', nullable: true },
    src_port: { kind: 'uint16', nullable: true },
    dst_port: { kind: 'uint16', nullable: true },
    protocol: { kind: 'keyword' },
    user_name: { kind: 'text' },
    policy: { kind: 'keyword' },
    resource: { kind: 'text' },
    url: { kind: 'text' },
    domain: { kind: 'keyword' },
    attributes: { kind: 'keyword-map' },
    syslog_host: { kind: 'keyword' },
    extra: { kind: 'text' },
  },
  storage: {
    orderBy: ['vendor', 'product', 'syslog_host'],
    indexes: { user_name: 'value', src: 'value', dst: 'value', resource: 'words' },
  },
  search: {
    actor: ['user_name'],
    host: ['syslog_host'],
    action: ['event_id'],
    object: ['resource', 'url'],
    address: ['src', 'dst'],
  },
});
