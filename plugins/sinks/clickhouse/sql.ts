/** An identifier as ClickHouse takes any, whatever it holds. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** A text as a literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Columns in a list of a statement. */
export function columnList(names: readonly string[]): string {
  return names.map(quoteName).join(', ');
}
