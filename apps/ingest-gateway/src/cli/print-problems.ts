import type { ConfigProblem } from '@activity-gateway/pipeline/host';

/** Takes text for people, line ends included. */
export type Write = (text: string) => void;

/** Writes each problem as `file:line:column: message (code)`, its hint indented below. */
export function printProblems(problems: readonly ConfigProblem[], write: Write): void {
  for (const problem of problems) write(problemText(problem));
}

/** As `printProblems`, marked as what does not prevent a start. */
export function printWarnings(warnings: readonly ConfigProblem[], write: Write): void {
  for (const warning of warnings) write(problemText({ ...warning, message: `warning: ${warning.message}` }));
}

function problemText({ file, line, column, code, message, hint }: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return `${place}: ${message} (${code})\n${hint === undefined ? '' : `    ${hint}\n`}`;
}
