import { describe, expect, it } from '@jest/globals';
import { readMessage } from '@activity-gateway/activity';
import { createEventGenerator, type EventGeneratorOptions, type GeneratedEvent } from './generator.js';
import { EVENT_KINDS } from './kinds.js';

const NOW = Date.UTC(2026, 10, 5, 9, 15, 2, 187);
const TYPE_NAMES: Record<string, string> = {
  FileSystem: 'file',
  SharePointOnline: 'sharepoint',
  Copilot: 'copilot',
  Leef: 'leef',
};

function generate(count: number, options: Partial<EventGeneratorOptions> = {}): GeneratedEvent[] {
  const generator = createEventGenerator({
    seed: 7,
    types: EVENT_KINDS,
    agentHost: 'FS-"AGENT"-01',
    now: () => NOW,
    ...options,
  });
  return Array.from({ length: count }, () => generator.next());
}

function jsonOf(events: GeneratedEvent[]): Record<string, unknown>[] {
  return events.filter(({ line }) => line.startsWith('{')).map(({ line }) => JSON.parse(line) as never);
}

describe('createEventGenerator', () => {
  it('gives the same events for the same seed, and others for another', () => {
    const lines = generate(2_000).map((event) => event.line);
    expect(generate(2_000).map((event) => event.line)).toEqual(lines);
    expect(generate(50, { seed: 8 }).map((event) => event.line)).not.toEqual(lines.slice(0, 50));
  });

  it('gives lines of the protocol only, refused ones included', () => {
    for (const event of generate(20_000, { badRatio: 0.2 })) {
      expect(event.line).not.toMatch(/[\r\n]/);
      const message = readMessage(Buffer.from(event.line));
      if (message.kind !== 'event') throw new Error(`${message.kind}: ${event.line}`);
      expect(TYPE_NAMES[message.event.type] ?? 'unknown').toBe(event.type);
    }
  });

  it('gives every kind that was asked for, and no other', () => {
    expect(new Set(generate(1_000).map((event) => event.type))).toEqual(new Set(EVENT_KINDS));
    expect(new Set(generate(1_000, { types: ['leef'] }).map((event) => event.type))).toEqual(
      new Set(['leef']),
    );
  });

  it('gives refused events by their share, none by default', () => {
    expect(generate(5_000).some((event) => event.bad)).toBe(false);
    const bad = generate(20_000, { badRatio: 0.1 }).filter((event) => event.bad);
    expect(bad.length).toBeGreaterThan(1_700);
    expect(bad.length).toBeLessThan(2_300);
    expect(new Set(bad.map((event) => event.type))).toEqual(new Set([...EVENT_KINDS, 'unknown']));
  });

  it('gives file events with every required key, renames with a new path, permissions with SDDL', () => {
    const events = jsonOf(generate(5_000, { types: ['file'] }));
    for (const event of events) {
      expect(event).toMatchObject({
        TimeLogged: expect.any(String),
        Host: expect.any(String),
        Operation: expect.any(String),
        Path: expect.any(String),
      });
      expect(event['UserName'] ?? event['UserSid']).toEqual(expect.any(String));
      if (/^Ren/.test(event['Operation'] as string)) expect(event['NewPath']).toEqual(expect.any(String));
    }
    const text = JSON.stringify(events);
    expect(text).toMatch(/"OldValue":"O:BAG:DU/);
    expect(text).toMatch(/[^\x20-\x7e]/);
    expect(text).toMatch(/"Operation":"Ren"/);
    expect(text).toMatch(/"Success":"True"/);
    expect(text).toMatch(/"ClientIP":"::ffff:/);
    expect(
      events.some(({ UncPath, Host }) => (UncPath as string).startsWith(`\\\\${Host as string}\\`)),
    ).toBe(true);
  });

  it('gives times that all say the moment they were made, however they are written', () => {
    for (const event of jsonOf(generate(5_000, { types: ['file'] }))) {
      const text = event['TimeLogged'] as string;
      const at = Date.parse(/Z$|[+]/.test(text) ? text : `${text}Z`);
      expect(at).toBeLessThanOrEqual(NOW);
      expect(at).toBeGreaterThan(NOW - 6_000);
    }
  });

  it('gives SharePoint events with both sets of keys, sharing events among them', () => {
    const events = jsonOf(generate(2_000, { types: ['sharepoint'] }));
    for (const event of events) {
      expect(event['TimeLogged'] ?? event['CreationTime']).toEqual(expect.any(String));
      expect(event['EventType'] ?? event['Operation']).toEqual(expect.any(String));
      expect(event['UserId']).toEqual(expect.any(String));
    }
    expect(events.some((event) => 'RecordType' in event && 'ObjectId' in event)).toBe(true);
    expect(events.some((event) => 'Source' in event && 'AbsoluteUrl' in event)).toBe(true);
    expect(events.some((event) => event['SharingType'] === 'Edit')).toBe(true);
  });

  it('gives Copilot interactions with several resources, and flat ones', () => {
    const events = jsonOf(generate(2_000, { types: ['copilot'] }));
    const resources = events.map(
      (event) =>
        (event['CopilotEventData'] as { AccessedResources: unknown[] } | undefined)?.AccessedResources
          .length ?? 0,
    );
    expect(Math.max(...resources)).toBeGreaterThan(2);
    expect(events.every((event) => event['Workload'] === 'Copilot')).toBe(true);
    expect(events.some((event) => 'Entity' in event && 'Region' in event && 'User' in event)).toBe(true);
  });

  it('gives LEEF of both versions with both headers, raw and in JSON', () => {
    const lines = generate(2_000, { types: ['leef'] }).map((event) => event.line);
    for (const form of [
      /^Nov {2}5 \d\d:\d\d:\d\d FS\d\d LEEF:1\.0\|/,
      /^<\d+>Nov {2}5 .* LEEF:1\.0\|/,
      /^<134>1 2026-11-05T.*Z proxy-\d webgw - - - LEEF:2\.0\|.*\|\^\|devTime=/,
      /LEEF:2\.0\|.*\|x5E\|devTime=\d{13}\^/,
      /^\{"ActivityType":"Leef","AgentHost":"FS-\\"AGENT\\"-01","Message":".*LEEF:/,
      /RenameTrueFalse\|.*\tAttrName=Filename\tAttrOldValue=.*\tAttrNewValue=/,
    ]) {
      expect(lines.some((line) => form.test(line))).toBe(true);
    }
  });
});
