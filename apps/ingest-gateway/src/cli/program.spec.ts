import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { COMMANDS, runProgram } from './program.js';

let output: string;
beforeEach(() => {
  output = '';
  const keep = (text: unknown): boolean => (output += String(text)) !== '';
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => void jest.restoreAllMocks());

async function run(...argv: string[]): Promise<{ code: number; text: string }> {
  output = '';
  return { code: await runProgram(argv), text: output };
}

describe('runProgram', () => {
  it('lists the commands, and shows the help and the version', async () => {
    const overview = await run('--help');
    expect(overview.code).toBe(0);
    for (const { name, summary } of COMMANDS) {
      expect(overview.text).toContain(`  ${name} `);
      expect(summary).toMatch(/\.$/);
    }
    expect(await run('help')).toEqual(overview);
    expect((await run('-v')).text).toBe((await run('version')).text);
    expect((await run('-v')).text).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('shows the help of each command, and of each action', async () => {
    for (const { name } of COMMANDS) {
      const { code, text } = await run(name, '--help');
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(text).toContain(`Usage: gateway ${name} [`);
      expect((await run('help', name)).text).toBe(text);
    }
    const { code, text } = await run('dead-letters', 'replay', '-h');
    expect(code).toBe(0);
    expect(text).toContain('Usage: gateway dead-letters replay [options] [id...]');
  });

  it('names the nearest command for one that does not exist, or all of them when none is near', async () => {
    expect(await run('valdate')).toEqual({
      code: 2,
      text: 'There is no command "valdate". Did you mean "validate"? (CLI_USAGE)\n',
    });
    const { text } = await run('zzzzzzzzzz');
    expect(text).toContain('There is no command "zzzzzzzzzz".');
    expect(text).toContain(COMMANDS.map(({ name }) => name).join(', '));
    expect((await run('constructor')).text).toContain('There is no command');
    expect((await run('help', 'valdate')).text).toContain('Did you mean "validate"?');
  });

  it('knows only commands whose files load nothing until they run', () => {
    const text = readFileSync(new URL('./program.ts', import.meta.url), 'utf8');
    expect(text).not.toMatch(/^import .*\.command\.js/m);
  });

  it.each([
    ['store', 'Say what to do: copy. See --help.'],
    ['store move', 'store has no action "move".'],
    ['store copy --from embedded', '--to is missing.'],
    ['store copy --from here --to mongodb', '--from must be one of embedded, mongodb, not "here".'],
    ['store copy --from mongodb --to mongodb', 'name the same store'],
    ['certificate accept', 'certificate has no action "accept".'],
    ['retention', 'Say what to do: show, apply.'],
    ['retention shw', 'retention has no action "shw". Did you mean "show"?'],
    ['retention apply now', '"now" is not expected here.'],
    ['run a.yaml b.yaml', '"b.yaml" is not expected here.'],
    ['validate --write-schema', '--write-schema needs a value.'],
    ['demo --once=yes', '--once takes no value.'],
    ['demo --events 0', '--events must be a whole number from 1 to 100000000, not "0".'],
    ['version now', '"now" is not expected here.'],
  ])('says what is wrong with "%s"', async (line, message) => {
    const { code, text } = await run(...line.split(' '));
    expect(text).toContain(message);
    expect(text).toContain('(CLI_USAGE)');
    expect(code).toBe(2);
  });
});
