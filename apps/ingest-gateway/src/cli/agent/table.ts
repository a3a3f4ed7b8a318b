const NUMBER = new Intl.NumberFormat('en-US');

/** A number for people, with thousands separated. */
export function formatCount(value: number): string {
  return NUMBER.format(Math.round(value));
}

/** Lays rows out in columns: the first one to the left, the others, numbers, to the right. Ends with a line end. */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? formatCount(cell) : cell)));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => pad(cell, widths[column] ?? 0, column === 0)).join('   ');
  return cells.map((row) => `  ${line(row).trimEnd()}\n`).join('');
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width);
}
