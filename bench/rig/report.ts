/** What one part has found out, as Markdown: its title, and what stands below it. */
export type Section = Readonly<{ title: string; body: string }>;

type Row = readonly (string | number)[];

/** A table; the first row is its head. */
export function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [head, head.map(() => '---'), ...rows].map(line).join('\n');
}

/** Median, and in parentheses the least and the most. */
export function spread(values: readonly number[], digits = 2): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = Number.NaN, middle = Number.NaN, most = Number.NaN] = [
    sorted[0],
    sorted[Math.floor(sorted.length / 2)],
    sorted.at(-1),
  ];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
