/** The rows of the table under a heading of a Markdown text, without its header. @throws {Error} without such a table. */
export function tableUnder(heading: string, text: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter(line => line.startsWith('|'));
  if (lines.length < 3) throw new Error(`Could not find the table "${heading}"`);
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('`', '')),
  );
}
