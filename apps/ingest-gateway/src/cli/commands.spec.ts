import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { commands, findCommand } from './commands.js';

const nameOf = (...argv: string[]): string => {
  const found = findCommand(argv);
  return typeof found === 'string' ? found : [found.command.name, ...found.rest].join(' ');
};

describe('findCommand', () => {
  it('runs the gateway by default and passes on the rest', () => {
    expect(nameOf()).toBe('run');
    expect(nameOf('validate', 'a.yaml', '--help')).toBe('validate a.yaml --help');
    expect(nameOf('--help')).toBe('help');
    expect(nameOf('-v')).toBe('version');
  });

  it('names the nearest command for one that does not exist, or all of them when none is near', () => {
    expect(nameOf('valdate')).toBe('There is no command "valdate". Did you mean "validate"?');
    expect(nameOf('zzzzzzzzzz')).toContain('There is no command "zzzzzzzzzz".');
    expect(nameOf('zzzzzzzzzz')).toContain(commands.map(({ name }) => name).join(', '));
    expect(nameOf('constructor')).toContain('There is no command');
  });

  it('knows only commands whose files load nothing until they run', () => {
    const text = readFileSync(new URL('./commands.ts', import.meta.url), 'utf8');
    expect(text).not.toMatch(/^import .*command\.js/m);
    expect(commands.every((command) => command.summary.endsWith('.'))).toBe(true);
  });
});
