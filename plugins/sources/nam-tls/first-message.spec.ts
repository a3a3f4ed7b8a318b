import { describe, expect, it } from '@jest/globals';
import { readMessage } from '@activity-gateway/activity';
import { decideFirst } from './first-message.js';

const NOT_UTF8 = Buffer.concat([Buffer.from('{"ActivityType":"'), Buffer.from([0xff]), Buffer.from('"}')]);

describe('decideFirst', () => {
  it.each([
    // first message, from an allowlisted peer, from an unknown one
    ['{"ActivityType":"FileSystem"}', 'stream', 'leave'],
    ['{"ActivityType":"NeverSeen"}', 'stream', 'leave'],
    ['LEEF:2.0|V|P|1|42|x7C|a=b', 'stream', 'leave'],
    ['{"MessageType":"EnrollmentRequest"}', 'enroll', 'enroll'],
    ['{"MessageType":"Hello","Ack":true}', 'greet', 'leave'],
    ['{"MessageType":"Goodbye"}', 'skip', 'punish'],
    ['{"MessageType":7}', 'skip', 'punish'],
    ['{"a":1}', 'skip', 'punish'],
    ['[1]', 'skip', 'punish'],
    ['hello', 'skip', 'punish'],
  ])('%s', (line, allowlisted, unknown) => {
    const message = readMessage(Buffer.from(line));
    expect(decideFirst(message, true).do).toBe(allowlisted);
    expect(decideFirst(message, false).do).toBe(unknown);
  });

  it('takes an event that is no UTF-8 for an event', () => {
    expect(decideFirst(readMessage(NOT_UTF8), true).do).toBe('stream');
    expect(decideFirst(readMessage(NOT_UTF8), false).do).toBe('leave');
  });
});
