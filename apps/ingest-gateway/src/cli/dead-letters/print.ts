import type { DeadLetter } from '../../clickhouse/types.js';
import type { DeadLetterPage, DeadLetterSummary } from '../../dead-letters/dead-letters.service.js';
import type { ReplayReport } from '../../dead-letters/replay-report.js';
import { formatCount, formatTable } from '../agent/table.js';

const MAX_CELL = 60;

/** A page of the list for people. */
export function formatPage({ deadLetters, cursor }: DeadLetterPage): string {
  if (deadLetters.length === 0) return 'No dead letters.\n';
  const rows = deadLetters.map((letter) => [
    letter.id,
    letter.received_at,
    letter.agent_host,
    letter.code,
    letter.field,
    letter.replayed_at === null ? '' : 'replayed',
    letter.message,
  ]);
  const head = ['id', 'received', 'agent', 'code', 'field', '', 'message'];
  const more = cursor === undefined ? '' : `More: --cursor ${cursor}\n`;
  return columns([head, ...rows]) + more;
}

/** The summary for people. */
export function formatSummary({ total, replayed, byCode, size }: DeadLetterSummary): string {
  const rows = byCode.map((each) => [`${each.code} (${each.stage})`, each.count, each.replayed]);
  const table = formatTable([['code', 'count', 'replayed'], ...rows, ['total', total, replayed]]);
  return `${table}${formatCount(size.bytes)} bytes on disk\n`;
}

/** One dead letter, everything of it. */
export function formatLetter(letter: DeadLetter): string {
  return `${JSON.stringify(letter, null, 2)}\n`;
}

/** What a replay did. */
export function formatReplay(report: ReplayReport): string {
  const { replayed, alreadyStored, refused, failed, skipped, problems, cursor } = report;
  const counts = formatTable([
    ['replayed', replayed],
    ['stored by a replay before', alreadyStored],
    ['refused again', refused],
    ['failed', failed],
    ['replayed before, left alone', skipped],
  ]);
  const why = problems.map(
    ({ code, count, message }) => `  ${formatCount(count)} x ${code}: ${plain(message)}\n`,
  );
  const more = cursor === undefined ? '' : `There may be more: --cursor ${cursor}\n`;
  return counts + why.join('') + more;
}

function columns(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(plain));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Texts of agents must not steer a terminal. */
function plain(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
  return clean.length > MAX_CELL * 2 ? `${clean.slice(0, MAX_CELL * 2)}…` : clean;
}
