/** Columns as wide as what is in them; numbers to the right. Pure. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], rightAligned: readonly number[]): string {
  const all = [head, ...rows];
  const used = head.map((_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.flatMap((cell, column) => {
      const width = widths[column] ?? 0;
      return used[column] === true ? [rightAligned.includes(column) ? cell.padStart(width) : cell.padEnd(width)] : [];
    }).join('  ').trimEnd())
    .join('\n');
}
