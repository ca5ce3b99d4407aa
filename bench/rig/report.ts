import { median } from './stats.js';

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
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

/** Numbers as bars of text, the longest 40 wide. */
export function bars(numbers: readonly Readonly<{ name: string; value: number }>[]): string {
  const most = Math.max(...numbers.map(({ value }) => value));
  const width = Math.max(...numbers.map(({ name }) => name.length));
  const lines = numbers.map(
    ({ name, value }) =>
      `${name.padStart(width)} ${'#'.repeat(Math.max(1, Math.round((40 * value) / most)))} ${value.toPrecision(3)}`,
  );
  return ['```', ...lines, '```'].join('\n');
}
