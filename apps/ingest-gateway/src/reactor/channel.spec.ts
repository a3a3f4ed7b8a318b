import { describe, expect, it } from '@jest/globals';
import { Channel, type AnswerMessage, type RequestMessage } from './channel.js';

type Here = {
  readonly add: { readonly question: readonly number[]; readonly answer: number };
};
type There = {
  readonly greet: { readonly question: string; readonly answer: string };
};
type Notice = { readonly type: 'notice'; readonly text: string };
type Sent<Asks extends Here | There> = RequestMessage<Asks> | AnswerMessage | Notice;

function pair(): {
  here: Channel<Here, There, Notice>;
  there: Channel<There, Here, Notice>;
  notices: string[];
  wire: unknown[];
} {
  const wire: unknown[] = [];
  const notices: string[] = [];
  const take = (message: Sent<Here> | Sent<There>, to: { receive(message: never): void }): void => {
    wire.push(message);
    if (message.type === 'notice') notices.push(message.text);
    else to.receive(message as never);
  };
  const here: Channel<Here, There, Notice> = new Channel((message) => take(message, there), {
    greet: (name, answer) => answer(`hello ${name}`),
  });
  const there: Channel<There, Here, Notice> = new Channel((message) => take(message, here), {
    add: (numbers, answer) => {
      if (numbers.length > 0) answer(numbers.reduce((sum, each) => sum + each, 0));
    },
  });
  return { here, there, notices, wire };
}

describe('Channel', () => {
  it('answers requests of both ends, and passes notices on', async () => {
    const { here, there, notices } = pair();
    expect(await here.request('add', [1, 2])).toBe(3);
    expect(await there.request('greet', 'ada')).toBe('hello ada');
    here.notify({ type: 'notice', text: 'up' });
    expect(notices).toEqual(['up']);
  });

  it('gives the answer in the moment that it comes, once', () => {
    const sent: Sent<Here>[] = [];
    const channel = new Channel<Here, There, Notice>((message) => sent.push(message), {
      greet: () => undefined,
    });
    const answers: unknown[] = [];
    channel.ask('add', [1], (answer) => answers.push(answer));
    channel.ask('add', [2], (answer) => answers.push(answer));
    expect(sent).toEqual([
      { type: 'request', id: 1, name: 'add', question: [1] },
      { type: 'request', id: 2, name: 'add', question: [2] },
    ]);
    channel.receive({ type: 'answer', id: 2, answer: 20 });
    channel.receive({ type: 'answer', id: 1, answer: 10 });
    channel.receive({ type: 'answer', id: 1, answer: 11 });
    channel.receive({ type: 'answer', id: 99, answer: 0 });
    expect(answers).toEqual([20, 10]);
  });

  it('gives up what is not answered in time', async () => {
    const { here } = pair();
    expect(await here.request('add', [], 20)).toBeUndefined();
  });

  it('answers nothing any more once it is closed', async () => {
    const { here, wire } = pair();
    const waiting = here.request('add', []);
    here.close();
    expect(await waiting).toBeUndefined();
    expect(await here.request('add', [1])).toBeUndefined();
    expect(wire).toHaveLength(1);
  });
});
