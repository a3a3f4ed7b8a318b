import { describe, expect, it } from '@jest/globals';
import { deadLettersCommand, type DeadLetterHandler } from '../dead-letters.command.js';
import { restOptionsOf, type RestOptions } from '../rest/rest-options.js';
import { filterOf, type DeadLetterOptions } from './options.js';

interface Parsed {
  readonly options: DeadLetterOptions;
  readonly filter: Record<string, string>;
  readonly ids: readonly string[];
}

async function parse(line: string): Promise<Parsed> {
  let parsed: Parsed | undefined;
  const handler: DeadLetterHandler = async (options, _, ids) => {
    parsed = { options, filter: filterOf(options), ids };
    return 0;
  };
  const handlers = { list: handler, summary: handler, show: handler, exportAll: handler, replay: handler };
  await deadLettersCommand(handlers).run(line === '' ? [] : line.split(' '));
  if (parsed === undefined) throw new Error('No action has run.');
  return parsed;
}

async function rest(line: string, env: NodeJS.ProcessEnv = {}): Promise<RestOptions> {
  return restOptionsOf((await parse(line)).options, env);
}

describe('options of dead-letters', () => {
  it('know where a gateway of this machine is', async () => {
    expect(await parse('list')).toEqual({ options: {}, filter: {}, ids: [] });
    expect(await rest('list')).toEqual({ url: 'http://127.0.0.1:8080', key: { file: 'data/admin.key' } });
    const env = { GATEWAY_HTTP_PORT: '9090', GATEWAY_DATA_DIR: '/var/lib/g', ADMIN_API_KEY: '' };
    expect(await rest('list', env)).toEqual({
      url: 'http://127.0.0.1:9090',
      key: { file: '/var/lib/g/admin.key' },
    });
    expect((await rest('list', { ADMIN_API_KEY: 'k' })).key).toEqual({ text: 'k' });
    expect(await rest('list --key-file f --url http://h:1/', { ADMIN_API_KEY: 'k' })).toEqual({
      key: { file: 'f' },
      url: 'http://h:1',
    });
  });

  it('hold the filter', async () => {
    const line =
      'export --code c --stage sink --agent a --pipeline p --from 2026-01-01 --to 2026-02-01 --replayed no';
    expect((await parse(line)).filter).toEqual({
      code: 'c',
      stage: 'sink',
      agent: 'a',
      pipeline: 'p',
      from: '2026-01-01',
      to: '2026-02-01',
      replayed: 'false',
    });
  });

  it('stand beside the ids', async () => {
    expect(await parse('replay a b --limit 5')).toMatchObject({ ids: ['a', 'b'], options: { limit: 5 } });
    expect((await parse('show a')).ids).toEqual(['a']);
  });

  it.each([
    ['', 'Say what to do: list, summary, show, export, replay.'],
    ['lits', 'no action "lits"'],
    ['show', 'id is missing'],
    ['show a b', '"b" is not expected'],
    ['list a', '"a" is not expected'],
    ['list --cod x', 'There is no option --cod'],
    ['list --code x y', '"y" is not expected'],
    ['list --replayed maybe', '--replayed must be one of yes, no, not "maybe".'],
    ['replay --replayed no', 'There is no option --replayed'],
    ['list --limit 1001', 'from 1 to 1000'],
    ['list --limit', 'needs a value'],
  ])('refuse "%s"', async (line, message) => {
    await expect(parse(line)).rejects.toThrow(message);
  });
});
