import { describe, expect, it } from '@jest/globals';
import { defineEventType, type EventRecord } from '@activity-gateway/pipeline/api';
import { sampleBatch } from '@activity-gateway/pipeline/testing';
import { encodeNdjson } from './encode.js';

const type = defineEventType({
  name: 'things',
  fields: {
    event_time: { kind: 'time' },
    text: { kind: 'text' },
    size: { kind: 'uint64', nullable: true },
    ip: { kind: 'ip', nullable: true },
    ok: { kind: 'bool' },
    'parts.id': { kind: 'text[]' },
    'parts.size': { kind: 'uint64[]' },
    attributes: { kind: 'keyword-map' },
    seen_at: { kind: 'time', nullable: true },
  },
});
const full: EventRecord = {
  event_time: Date.UTC(2026, 10, 20, 9, 15, 2, 187),
  text: 'a "b" \\ \n \u2028 ü 🙂 \uD800',
  size: 18_446_744_073_709_551_615n,
  ip: '2001:db8::1',
  ok: true,
  'parts.id': ['1', ''],
  'parts.size': [1, 9_007_199_254_740_993n],
  attributes: new Map([
    ['src', '10.1.1.5'],
    ['__proto__', 'x'],
  ]),
  seen_at: 0,
};
const bare: EventRecord = {
  event_time: 0,
  text: '',
  size: null,
  ip: null,
  ok: false,
  'parts.id': [],
  'parts.size': [],
  attributes: new Map(),
  seen_at: null,
};

describe('encodeNdjson', () => {
  it('writes one object a line, with the fields of the gateway at its end', () => {
    const text = encodeNdjson(sampleBatch(type, [full, bare]))('gw/1/1').toString();
    expect(text).toBe(
      String.raw`{"event_time":"2026-11-20T09:15:02.187Z","text":"a \"b\" \\ \n ${'\u2028'} ü 🙂 \ud800","size":18446744073709551615,` +
        '"ip":"2001:db8::1","ok":true,"parts.id":["1",""],"parts.size":[1,9007199254740993],' +
        '"attributes":{"src":"10.1.1.5","__proto__":"x"},"seen_at":"1970-01-01T00:00:00.000Z",' +
        `"received_at":"2026-11-20T12:00:00.000Z","agent_spki":"${'ab'.repeat(32)}","agent_host":"FS-AGENT-01",` +
        '"source_ip":"10.0.0.7","ingest_batch":"gw/1/1"}\n' +
        '{"event_time":"1970-01-01T00:00:00.000Z","text":"","size":null,"ip":null,"ok":false,"parts.id":[],' +
        '"parts.size":[],"attributes":{},"seen_at":null,' +
        `"received_at":"2026-11-20T12:00:00.001Z","agent_spki":"${'cd'.repeat(32)}","agent_host":"höst-2",` +
        '"source_ip":"2001:db8::7","ingest_batch":"gw/1/1"}\n',
    );
  });

  it('leaves a NUL of a value where it is', () => {
    const [line] = encodeNdjson(sampleBatch(type, [{ ...full, text: 'a\0b' }]))('gw/1/$&')
      .toString()
      .split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({ text: 'a\0b', ingest_batch: 'gw/1/$&' });
  });

  it('makes nothing of no records', () => {
    expect(encodeNdjson({ type, records: [], runs: [] })('gw/1/1')).toHaveLength(0);
  });
});
