import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { numberSettings } from '../../apps/ingest-gateway/src/settings/index.js';
import { exampleDeadLetter } from '../../apps/ingest-gateway/src/dead-letters/dead-letter.schema.js';
import { startControlPlane, type TestControlPlane } from '../support/control-plane.js';

/** A request as an example of the page writes it. */
interface Example {
  readonly command: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly withKey: boolean;
}

/** What later examples use of an answer. */
interface Answer {
  readonly id?: string;
  readonly spkiHash?: string;
  readonly deadLetters?: readonly { readonly id: string }[];
}

function examplesOf(text: string): Example[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const commands = blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
  return commands
    .filter((command) => command.startsWith('curl ') && command.includes('$GATEWAY'))
    .map((command) => ({
      command,
      method: / -X (\w+)/.exec(command)?.[1] ?? 'GET',
      path: /"\$GATEWAY([^"]*)"/.exec(command)?.[1] ?? '',
      body: / -d '([^']*)'/.exec(command)?.[1],
      withKey: command.includes('-H "Authorization: Bearer $KEY"'),
    }));
}

describe('docs/how-to/administer.md', () => {
  const text = readFileSync('docs/how-to/administer.md', 'utf8');
  const examples = examplesOf(text);
  let control: TestControlPlane;

  beforeAll(async () => {
    control = await startControlPlane();
    const plane = control.plane();
    const certificate = {
      notAfter: 0,
      selfSigned: true,
      spkiHash: 'a',
      keyChange: { from: 'a', to: 'b', served: false },
    };
    const ban = { address: '192.0.2.7', until: Date.now() + 60_000, reason: 'x', effect: 'ban' as const };
    plane.state = { ...plane.state, certificate, bans: [ban] };
    plane.replayed = (items) => items.map(({ id }) => ({ id, outcome: 'replayed' }));
    control.clickhouse.memory.letters = [exampleDeadLetter];
  });
  afterAll(() => control.dispose());

  it('has examples that work, one after the other', async () => {
    expect(examples.length).toBeGreaterThan(25);
    const known: Record<string, string> = {};
    for (const { command, method, path, body, withKey } of examples) {
      const url = path.replace(/\$(\w+)/g, (_, name: string) => known[name] ?? 'unknown');
      const headers: Record<string, string> = withKey ? {} : { authorization: '' };
      const answer = await control.rest(method, url, body, headers);
      expect([command, answer.status, answer.status < 300]).toEqual([command, expect.any(Number), true]);
      const { spkiHash, deadLetters, id = deadLetters?.[0]?.id } = (answer.body ?? {}) as Answer;
      if (id !== undefined) known['ID'] = id;
      if (spkiHash !== undefined) known['SPKI_HASH'] = spkiHash;
    }
  });

  it('shows every route of the API at least once', () => {
    const shown = examples.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    const routes = control
      .routes()
      .filter((route) => !route.startsWith('HEAD ') && !/^GET \/api\/(docs|openapi)/.test(route));
    const missing = routes.filter((route) => {
      const pattern = new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`);
      return !shown.some((each) => pattern.test(each));
    });
    expect(missing).toEqual([]);
  });

  it('tells defaults and ranges as they are', () => {
    for (const [name, { default: value, minimum, maximum }] of Object.entries(numberSettings)) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
      const [, , shown = '', range = ''] = row.split('|').map((cell) => cell.trim());
      expect([name, shown.split(' ')[0], range]).toEqual([name, String(value), `${minimum} – ${maximum}`]);
    }
  });
});
