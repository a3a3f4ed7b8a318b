import { describe, expect, it } from '@jest/globals';
import { parseAgentOptions } from './agent-options.js';

const token = `nam1.${'A'.repeat(43)}.${'0f'.repeat(32)}`;

describe('parseAgentOptions', () => {
  it('has defaults for everything', () => {
    expect(parseAgentOptions([])).toEqual({
      help: false,
      host: '127.0.0.1',
      port: 1514,
      token: undefined,
      agents: 1,
      events: undefined,
      durationMs: undefined,
      rate: undefined,
      types: ['file', 'sharepoint', 'copilot', 'leef'],
      file: undefined,
      dataDir: './data/agents',
      seed: 1,
      badRatio: 0,
      ack: true,
    });
  });

  it('reads every option, with "=" too', () => {
    const argv =
      `--host gw --port=2514 --token ${token} --agents 3 --events 500 --duration 1.5 --rate 10.5 --types leef,File --data /d --seed 0 --bad-ratio 0.5 --no-ack`.split(
        ' ',
      );
    expect(parseAgentOptions(argv)).toMatchObject({
      host: 'gw',
      port: 2514,
      token: { code: 'A'.repeat(43), serverSpki: '0f'.repeat(32) },
      agents: 3,
      events: 500,
      durationMs: 1_500,
      rate: 10.5,
      types: ['leef', 'file'],
      dataDir: '/d',
      seed: 0,
      badRatio: 0.5,
      ack: false,
    });
  });

  it.each([
    [['--evnts', '5'], 'There is no option --evnts.', 'Did you mean --events?'],
    [['--something-else'], 'There is no option --something-else.', 'See --help.'],
    [['-n'], 'There is no option -n.', 'See --help.'],
    [['--toString'], 'There is no option --toString.', 'See --help.'],
    [['--no-help'], 'There is no option --no-help.', 'Did you mean --help?'],
    [['events'], '"events" is not expected here.', 'Did you mean --events?'],
    [['--port'], '--port needs a value.', undefined],
    [['--port='], '--port needs a value.', undefined],
    [['--port', '--agents', '2'], '--port needs a value.', undefined],
    [['--help=no'], '--help takes no value.', undefined],
    [['--port', '70000'], '--port must be a whole number from 1 to 65535, not "70000".', undefined],
    [['--port', '1e3'], '--port must be a whole number from 1 to 65535, not "1e3".', undefined],
    [['--events', '1.5'], '--events must be a whole number', undefined],
    [['--rate', '0'], '--rate must be a number from 0.001', undefined],
    [['--bad-ratio', '1.1'], '--bad-ratio must be a number from 0 to 1', undefined],
    [['--types', 'file,sharpoint'], 'There is no event type "sharpoint".', 'Did you mean "sharepoint"?'],
    [['--file', 'x', '--events', '5'], '--file and --events do not go together.', 'A file is sent as it is'],
    [['--token', 'nam1.x'], 'it has 2 parts', 'Copy the whole token'],
  ])('says what is wrong with %j', (argv, message, hint) => {
    let error: { message: string; hint?: string } | undefined;
    try {
      parseAgentOptions(argv);
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error?.message).toContain(message);
    if (hint !== undefined) expect(error?.hint).toContain(hint);
  });
});
