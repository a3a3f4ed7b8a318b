import { describe, expect, it } from '@jest/globals';
import { agentCommand } from '../agent.command.js';
import type { AgentOptions } from './agent-options.js';

const token = `nam1.${'A'.repeat(43)}.${'0f'.repeat(32)}`;

async function parse(argv: readonly string[]): Promise<AgentOptions | undefined> {
  let parsed: AgentOptions | undefined;
  await agentCommand(async (options) => {
    parsed = options;
    return 0;
  }).run(argv);
  return parsed;
}

describe('options of agent', () => {
  it('has defaults for everything', async () => {
    expect(await parse([])).toEqual({
      host: '127.0.0.1',
      port: 1514,
      agents: 1,
      types: ['file', 'sharepoint', 'copilot', 'leef'],
      data: './data/agents',
      seed: 1,
      badRatio: 0,
      ack: true,
    });
  });

  it('reads every option, with "=" too', async () => {
    const argv =
      `--host gw --port=2514 --token ${token} --agents 3 --events 500 --duration 1.5 --rate 10.5 --types leef,File --data /d --seed 0 --bad-ratio 0.5 --no-ack`.split(
        ' ',
      );
    expect(await parse(argv)).toMatchObject({
      host: 'gw',
      port: 2514,
      token: { code: 'A'.repeat(43), serverSpki: '0f'.repeat(32) },
      agents: 3,
      events: 500,
      duration: 1.5,
      rate: 10.5,
      types: ['leef', 'file'],
      data: '/d',
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
    [['--no-acks'], 'There is no option --no-acks.', 'Did you mean --no-ack?'],
    [['events'], '"events" is not expected here.', 'See --help.'],
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
    [['--file', 'x', '--events', '5'], '--file and --events do not go together.', 'Leave one of them out.'],
    [['--token', 'nam1.x'], 'it has 2 parts', 'Copy the whole token'],
  ])('says what is wrong with %j', async (argv, message, hint) => {
    const error = (await parse(argv).catch((thrown: unknown) => thrown)) as {
      message: string;
      hint?: string;
    };
    expect(error.message).toContain(message);
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });
});
