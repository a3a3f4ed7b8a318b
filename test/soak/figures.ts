/** Bytes of a MiB. */
export const MIB = 2 ** 20;

/** The value that a share `p` of the numbers does not exceed; 0 where there are none. */
export function percentile(numbers: readonly number[], p: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}

/** The middle value. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** A number as people read it. */
export function shown(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Bytes as MiB. */
export function mib(bytes: number): string {
  return `${shown(bytes / MIB)} MiB`;
}

/** One thing that a run has to hold. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** The figures that it was judged by. */
  readonly found: string;
}

/** Prints the checks; returns the exit code of the run. */
export function verdict(checks: readonly Check[]): number {
  for (const { name, ok, found } of checks) print(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${found}`);
  const failed = checks.filter(({ ok }) => !ok).length;
  print(failed === 0 ? '\nAll held.' : `\n${failed} of ${checks.length} did not hold.`);
  return failed === 0 ? 0 : 1;
}

/** Prints one row of a table; columns are as wide as the numbers say. */
export function row(cells: readonly string[], widths: readonly number[]): void {
  print(cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
}

/** Prints a line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
