import type { Finding } from './problems.js';

/** `$$`, or `${NAME}` with `:-default` or `:?message`, or what begins like one and is none. */
const TOKEN = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([^}]*))?\}|\$\{[^}]*\}?/g;

/** A text with the variables put in. */
export interface Interpolated {
  readonly text: string;
  /** The text was one variable and nothing else: its type is not decided by being written as text. */
  readonly whole: boolean;
  /** What messages show in place of the text, which may be a secret: the variables as they are written. */
  readonly shown: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Puts environment variables into a text that has been parsed already, so that a value cannot change the structure of
 * a file: `${NAME}` has to be set, `${NAME:-default}` gives the default where it is unset or empty, `${NAME:?message}`
 * refuses both with the message, `$$` is a dollar sign.
 */
export function interpolate(template: string, env: NodeJS.ProcessEnv): Interpolated {
  if (!template.includes('$')) return { text: template, whole: false, shown: undefined, findings: [] };
  const findings: Finding[] = [];
  const names: string[] = [];
  let fromEnvironment = false;
  const text = template.replace(
    TOKEN,
    (token: string, name?: string, operator?: string, operand?: string): string => {
      if (token === '$$') return '$';
      if (name === undefined || operand?.includes('${')) {
        findings.push(malformed(token));
        return '';
      }
      names.push(name);
      const value = env[name];
      const given = operator === undefined ? value !== undefined : value !== undefined && value !== '';
      if (given) {
        fromEnvironment = true;
        return value ?? '';
      }
      if (operator === '-') return operand ?? '';
      findings.push(unset(name, operator === '?' ? operand : undefined, value));
      return '';
    },
  );
  const whole = names.length === 1 && isOneToken(template);
  return { text, whole, shown: fromEnvironment ? shownAs(template, whole, names) : undefined, findings };
}

function isOneToken(template: string): boolean {
  TOKEN.lastIndex = 0;
  const match = TOKEN.exec(template);
  TOKEN.lastIndex = 0;
  return match?.[0] === template;
}

function shownAs(template: string, whole: boolean, names: readonly string[]): string {
  return whole ? `\${${names[0] ?? ''}}` : template;
}

function malformed(token: string): Finding {
  const nested = /^\$\{[A-Za-z_]\w*:/.test(token);
  return {
    code: 'CONFIG_BAD_INTERPOLATION',
    message: nested
      ? 'A variable cannot stand inside the default or the message of another one.'
      : 'What begins with "${" here is not a variable.',
    hint: 'Write ${NAME}, ${NAME:-default} or ${NAME:?message}; a plain dollar sign is $$.',
  };
}

function unset(name: string, message: string | undefined, value: string | undefined): Finding {
  const state = value === undefined ? 'not set' : 'empty';
  const told = message?.trim() ?? '';
  return {
    code: 'CONFIG_UNSET_VARIABLE',
    message: `The environment variable ${name} is ${state}${told === '' ? '' : `: ${told}`}.`.replace(
      /\.\.$/,
      '.',
    ),
    hint: `Set ${name}, or give it a default: \${${name}:-default}.`,
  };
}
