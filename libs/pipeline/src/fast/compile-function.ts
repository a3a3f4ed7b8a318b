/**
 * Compiles a function from source text, for code that each declaration needs separately: the engine inlines what it
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
  // Constants, not parameters: what never changes the engine takes as known, and inlines it.
  const names = Object.keys(scope).filter((name) => scope[name] !== undefined);
  const source = `'use strict';
    const { ${names.join(', ')} } = scope;
    return function (${parameters.join(', ')}) {\n${body}\n};`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const make = new Function('scope', source) as (values: Readonly<Record<string, unknown>>) => T;
  return make(scope);
}
