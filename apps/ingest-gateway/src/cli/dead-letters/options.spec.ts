import { describe, expect, it } from '@jest/globals';
import { parseDeadLetterOptions } from './options.js';

const parse = (argv: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof parseDeadLetterOptions> =>
  parseDeadLetterOptions(argv === '' ? [] : argv.split(' '), env);

describe('parseDeadLetterOptions', () => {
  it('knows where a gateway of this machine is', () => {
    expect(parse('list')).toEqual({
      action: 'list',
      url: 'http://127.0.0.1:8080',
      key: { file: 'data/admin.key' },
      filter: {},
      ids: [],
      limit: undefined,
      cursor: undefined,
      out: undefined,
      json: false,
    });
    const env = { GATEWAY_HTTP_PORT: '9090', GATEWAY_DATA_DIR: '/var/lib/g', ADMIN_API_KEY: '' };
    expect(parse('list', env)).toMatchObject({
      url: 'http://127.0.0.1:9090',
      key: { file: '/var/lib/g/admin.key' },
    });
    expect(parse('list', { ADMIN_API_KEY: 'k' }).key).toEqual({ text: 'k' });
    expect(parse('list --key-file f --url http://h:1/', { ADMIN_API_KEY: 'k' })).toMatchObject({
      key: { file: 'f' },
      url: 'http://h:1',
    });
  });

  it('takes filters', () => {
    expect(
      parse(
        'export --code c --stage sink --agent a --pipeline p --from 2026-01-01 --to 2026-02-01 --replayed no',
      ).filter,
    ).toEqual({
      code: 'c',
      stage: 'sink',
      agent: 'a',
      pipeline: 'p',
      from: '2026-01-01',
      to: '2026-02-01',
      replayed: 'false',
    });
  });

  it('takes ids before options', () => {
    expect(parse('replay a b --limit 5')).toMatchObject({ action: 'replay', ids: ['a', 'b'], limit: 5 });
    expect(parse('show a').ids).toEqual(['a']);
    expect(parse('show --help').action).toBe('help');
    expect(parse('--help').action).toBe('help');
  });

  it.each([
    ['', 'Say what to do'],
    ['lits', 'no action "lits"'],
    ['show', 'show needs one id'],
    ['show a b', 'show needs one id'],
    ['list a', '"a" is not expected'],
    ['list --cod x', 'There is no option --cod'],
    ['list --code x y', '"y" is not expected'],
    ['list --replayed maybe', 'must be yes or no'],
    ['replay --replayed no', 'of no use'],
    ['list --limit 1001', 'from 1 to 1000'],
    ['list --limit', 'needs a value'],
  ])('refuses "%s"', (argv, message) => {
    expect(() => parse(argv)).toThrow(message);
  });
});
