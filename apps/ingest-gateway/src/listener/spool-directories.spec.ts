import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { LOBBY_INDEX } from './lobby.js';
import { SpoolDirectories } from './spool-directories.js';

let directory: string;
let reactors: number;
let running: Set<number>;
let spools: SpoolDirectories;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spools-'));
  reactors = 2;
  running = new Set();
  spools = new SpoolDirectories({
    directory,
    pipelines: ['p'],
    reactors: () => reactors,
    running: (index) => running.has(index),
    lobby: 'lobby-now',
    logger: createRecordingLogger(),
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

const make = (...slots: (number | string)[]): void => {
  for (const slot of slots) mkdirSync(join(directory, 'p', String(slot)), { recursive: true });
};

describe('SpoolDirectories', () => {
  it("gives each reactor its own and its share of those that are nobody's", () => {
    make(0, 1, 2, 3, 4, 'x');
    expect(spools.assign(0)).toEqual({ directory, slot: '0', adopt: ['p/2', 'p/4'], share: 7 / 16 });
    expect(spools.assign(1).adopt).toEqual(['p/3', 'p/x']);
  });

  it('gives the lobby spools of its own, which nobody adopts, and those of earlier runs to reactors', () => {
    make(0, 'lobby-before', 'lobby-now');
    expect(spools.assign(LOBBY_INDEX)).toEqual({ directory, slot: 'lobby-now', adopt: [], share: 1 / 8 });
    expect(spools.assign(0).adopt).toEqual(['p/lobby-before']);
    expect(spools.assign(1).adopt).toEqual([]);
    spools.ended(LOBBY_INDEX);
    expect(spools.shareOut(0).get(0)).toEqual(['p/lobby-before']);
  });

  it('leaves alone what a surplus reactor still drains', () => {
    make(2);
    running.add(2);
    expect(spools.assign(0).adopt).toEqual([]);
    expect(spools.shareOut(0).size).toBe(0);
  });

  it('gives what is left to one that works, and what others take when they begin to them', () => {
    make(2, 3);
    expect(spools.assign(0).adopt).toEqual(['p/2']);
    expect([...spools.shareOut(0)]).toEqual([[0, ['p/2']]]);
    expect(spools.assign(1).adopt).toEqual(['p/3']);
    make(4);
    expect([...spools.shareOut(1)]).toEqual([
      [0, ['p/2']],
      [1, ['p/3', 'p/4']],
    ]);
  });

  it('gives what an ended reactor had adopted to another one, and never to two', () => {
    spools.assign(0);
    spools.assign(1);
    make(2);
    expect([...spools.shareOut(1)]).toEqual([[1, ['p/2']]]);
    spools.ended(1);
    expect([...spools.shareOut(0)]).toEqual([[0, ['p/2']]]);
    expect(spools.assign(1).adopt).toEqual([]);
    spools.ended(0);
    expect(spools.assign(0).adopt).toEqual(['p/2']);
  });
});
