import { describe, expect, it } from '@jest/globals';
import { isEnding, nextState, type ConnectionEvent, type ConnectionState } from './connection-state.js';

const EVENTS: readonly ConnectionEvent[] = [
  'secure',
  'identify',
  'enroll',
  'resume',
  'stream',
  'linger',
  'linger_over',
  'close',
];
const STATES: readonly ConnectionState[] = [
  'handshake',
  'secured',
  'identified',
  'enrolling',
  'resuming',
  'streaming',
  'lingering',
  'closing',
  'refused',
];

/** The states that the events lead through; an event that does not move the connection is `-`. */
function walk(...events: ConnectionEvent[]): string[] {
  let state: ConnectionState = 'handshake';
  return events.map((event) => {
    const next = nextState(state, event);
    if (next !== undefined) state = next;
    return next ?? '-';
  });
}

describe('states of a connection', () => {
  it('lead an agent to its stream, and through its end', () => {
    expect(walk('secure', 'identify', 'stream', 'close')).toEqual([
      'secured',
      'identified',
      'streaming',
      'closing',
    ]);
    expect(walk('secure', 'identify', 'resume', 'stream', 'linger', 'linger_over').slice(2)).toEqual([
      'resuming',
      'streaming',
      'lingering',
      'closing',
    ]);
  });

  it('lead a peer that enrolls to its end, whether it is an agent or not', () => {
    expect(walk('secure', 'enroll', 'close')).toEqual(['secured', 'enrolling', 'closing']);
    expect(walk('secure', 'identify', 'enroll', 'close').slice(2)).toEqual(['enrolling', 'closing']);
  });

  it('take no message of a stream that was not granted', () => {
    expect(walk('secure', 'identify', 'resume', 'close', 'stream').slice(3)).toEqual(['refused', '-']);
  });

  it('let no peer stream that is not known as an agent', () => {
    expect(walk('stream', 'resume', 'identify', 'enroll')).toEqual(['-', '-', '-', '-']);
    expect(walk('secure', 'stream', 'resume', 'linger').slice(1)).toEqual(['-', '-', '-']);
  });

  it('identify an agent once, and open its stream once', () => {
    expect(walk('secure', 'identify', 'identify', 'stream', 'stream', 'resume', 'enroll').slice(2)).toEqual([
      '-',
      'streaming',
      '-',
      '-',
      '-',
    ]);
  });

  it('end once: the first reason counts, and nothing opens again', () => {
    const ended: ConnectionState[] = ['closing', 'refused'];
    expect(ended.flatMap((state) => EVENTS.map((event) => nextState(state, event)))).toEqual(
      Array(2 * EVENTS.length).fill(undefined),
    );
    expect(EVENTS.filter((event) => nextState('lingering', event) !== undefined)).toEqual(['linger_over']);
  });

  it('can be closed wherever nothing has ended the connection', () => {
    for (const state of STATES) {
      const next = nextState(state, 'close');
      expect([state, next !== undefined && isEnding(next)]).toEqual([state, !isEnding(state)]);
    }
  });

  it('linger only where an agent may have written messages', () => {
    expect(STATES.filter((state) => nextState(state, 'linger') !== undefined)).toEqual([
      'identified',
      'streaming',
    ]);
  });
});
