import { readdirSync, readFileSync } from 'node:fs';

const folder = 'dashboards/runbooks';

/** Every runbook: the name of its alert, and its text. */
export const runbooks: readonly Readonly<{ name: string; text: string }>[] = readdirSync(folder).map(file => ({
  name: file.replace('.md', ''),
  text: readFileSync(`${folder}/${file}`, 'utf8'),
}));

/** The lines of the exporter's log that a text quotes: code that begins with a level. */
export const quotedLines = (text: string): readonly string[] =>
  [...text.matchAll(/`(level=[^`]+)`/g)].map(([, line = '']) => line);

/** The fields of a line in logfmt. */
const fieldsOf = (line: string): ReadonlyMap<string, string> =>
  new Map([...line.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, key = '', value = '']) => [key, value]));

/** Whether a line of the log is the quoted one: it has every field, with the quoted value unless that is a placeholder. */
export function isPromised(quoted: string, line: string): boolean {
  const fields = fieldsOf(line);
  return [...fieldsOf(quoted)].every(([key, value]) =>
    /^<.*>$/.test(value) ? fields.has(key) : fields.get(key) === value,
  );
}
