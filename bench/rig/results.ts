import { cpus, totalmem } from 'node:os';
import type { Section } from './report.js';

/** The document with a part's section in place of the one that it had, or at the end. */
export function placeSection(document: string, part: string, { title, body }: Section): string {
  const [begin, end] = [`<!-- ${part} -->`, `<!-- end of ${part} -->`];
  const text = `${begin}\n\n## ${title}\n\n${body}\n\n${machine()}\n\n${end}\n`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to === -1) return `${document.trimEnd()}\n\n${text}`;
  return `${document.slice(0, from)}${text}${document.slice(to + end.length + 1)}`;
}

/** What it was measured on, and when. */
function machine(): string {
  const [{ model } = { model: 'unknown' }] = cpus();
  const memory = `${(totalmem() / 1e9).toFixed(0)} GB`;
  const day = new Date().toISOString().slice(0, 10);
  return `_${day}: ${String(cpus().length)} cores (${model.trim()}), ${memory}, Linux, Node ${process.versions.node}._`;
}
