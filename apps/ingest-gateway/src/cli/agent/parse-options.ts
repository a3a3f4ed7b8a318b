import { GatewayError } from '@app/pipeline/api';
import { distance } from 'fastest-levenshtein';
import { parseArgs } from 'node:util';

/** The options of a command: `string` ones take a value, `boolean` ones do not. */
export type OptionTypes = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;

/** What was given on the command line, by option. */
export type OptionTexts<T extends OptionTypes> = {
  readonly [Name in keyof T]?: T[Name]['type'] extends 'string' ? string : boolean;
};

/**
 * Reads the options of a command; the last one counts where one is given twice.
 * @throws GatewayError `CLI_USAGE` for what the command does not know, with the nearest option, and for a missing value
 */
export function parseOptions<T extends OptionTypes>(argv: readonly string[], types: T): OptionTexts<T> {
  const { tokens } = parseArgs({ args: [...argv], options: types, strict: false, tokens: true });
  const texts: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw usage(`"${token.value}" is not expected here.`, types, token.value);
    if (token.kind !== 'option') continue;
    const type = Object.hasOwn(types, token.name) ? types[token.name]?.type : undefined;
    if (type === undefined) throw usage(`There is no option ${token.rawName}.`, types, token.name);
    texts[token.name] = type === 'boolean' ? takeFlag(token) : takeValue(token);
  }
  return texts as OptionTexts<T>;
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function takeFlag({ rawName, value }: OptionToken): boolean {
  if (value !== undefined) throw new GatewayError('CLI_USAGE', `${rawName} takes no value.`);
  return true;
}

function takeValue({ rawName, value, inlineValue }: OptionToken): string {
  const missing = value === undefined || value === '' || (inlineValue !== true && value.startsWith('--'));
  if (missing) throw new GatewayError('CLI_USAGE', `${rawName} needs a value.`);
  return value;
}

function usage(message: string, types: OptionTypes, given: string): GatewayError {
  const near = Object.keys(types)
    .map((name) => ({ name, far: distance(name, given) }))
    .sort((a, b) => a.far - b.far)[0];
  const hint = near !== undefined && near.far <= 3 ? `Did you mean --${near.name}?` : 'See --help.';
  return new GatewayError('CLI_USAGE', message, hint);
}

/** Bounds of a number on the command line. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
  /** Whether fractions are allowed. */
  readonly fraction?: boolean;
}

/**
 * Reads a number; `undefined` stays `undefined`.
 * @throws GatewayError `CLI_USAGE` with the range
 */
export function parseNumber(
  name: string,
  text: string | undefined,
  bounds: NumberBounds,
): number | undefined {
  if (text === undefined) return undefined;
  const { min, max, fraction = false } = bounds;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const fits = value >= min && value <= max && (fraction || Number.isInteger(value));
  if (fits) return value;
  const kind = fraction ? 'a number' : 'a whole number';
  throw new GatewayError('CLI_USAGE', `--${name} must be ${kind} from ${min} to ${max}, not "${text}".`);
}
