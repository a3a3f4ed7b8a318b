/**
 * Compiles a function from source text, for code that has to be of its own for each declaration: the engine inlines what it
 * calls and knows the shape of what it makes. The text must be made of a plugin's own declarations, never of what a peer
 * sent, and every name in it has to be quoted by `JSON.stringify`.
 * @param parameters names of the function's parameters
 * @param body       its statements
 * @param scope      values that the statements use, by name
 */
export function compileFunction<T>(
  parameters: readonly string[],
  body: string,
  scope: Readonly<Record<string, unknown>> = {},
): T {
  const source = `'use strict'; return function (${parameters.join(', ')}) {\n${body}\n};`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const make = new Function(...Object.keys(scope), source) as (...values: unknown[]) => T;
  return make(...Object.values(scope));
}
