/** The item that the message of an event describes. */
export type ItemMessage = Readonly<{
  name: string;
  type: string;
  source: string;
  target: string;
  /** `''` for a success. */
  reason: string;
}>;

const opening = 'Item ';
const typeMark = '(type: ';
const sourceMark = '; source: ';
const targetMark = '; target: ';

/** ` was opened successfully`, ` was opened with warning: `; a lookahead, because matches may overlap. */
const verbPattern = / was(?=( [a-z]+ (?:(successfully)|with (?:warning|error)s?: )))/g;

/**
 * Parses the sentence that VB365 writes for an item; undefined for any other message:
 * `Item <name> was <verb> successfully|with warning: <reason> (type: <type>; source: <source>; target: <target>)`.
 *
 * Accepts the same language as a regular expression that fits all 139 captured messages. Names hold parentheses, colons,
 * trailing blanks and ` was `, so the last verb counts, and the first list in parentheses after it. It works in one pass,
 * because a backtracking match takes quadratic time on a crafted message.
 */
export function parseItemMessage(message: string): ItemMessage | undefined {
  if (!message.startsWith(opening) || !message.endsWith(')')) return undefined;
  const lists = listStarts(message);
  const known = new Set(lists);
  for (const verb of [...message.matchAll(verbPattern)].reverse()) {
    const smooth = verb[2] !== undefined;
    const behind = verb.index + ' was'.length + (verb[1] ?? '').length;
    const list = smooth ? adjoining(known, message, behind) : firstFrom(lists, behind);
    if (list === undefined || verb.index < opening.length) continue;
    const name = message.slice(opening.length, verb.index);
    return { name, reason: smooth ? '' : message.slice(behind, list).replace(/ $/, ''), ...readList(message, list) };
  }
  return undefined;
}

/** Where each complete `(type: ...; source: ...; target: ...)` that extends to the end of the message begins, ascending. */
function listStarts(message: string): readonly number[] {
  const lastTarget = message.lastIndexOf(targetMark, message.length - 1 - targetMark.length);
  const starts: number[] = [];
  let semicolon = -1;
  for (let at = message.indexOf(typeMark); at !== -1; at = message.indexOf(typeMark, at + 1)) {
    // A type holds no semicolon. The search continues where the last one ended, or the whole would be quadratic.
    if (semicolon < at) semicolon = message.indexOf(';', at);
    if (semicolon === -1) break;
    const complete = message.startsWith(sourceMark, semicolon) && lastTarget >= semicolon + sourceMark.length;
    if (complete) starts.push(at);
  }
  return starts;
}

function readList(message: string, at: number): Pick<ItemMessage, 'type' | 'source' | 'target'> {
  const source = message.indexOf(sourceMark, at);
  const target = message.indexOf(targetMark, source + sourceMark.length);
  return {
    type: message.slice(at + typeMark.length, source),
    source: message.slice(source + sourceMark.length, target),
    target: message.slice(target + targetMark.length, -1),
  };
}

/** The first list at `from` or later; the check keeps many verbs after the last list cheap. */
const firstFrom = (lists: readonly number[], from: number): number | undefined =>
  (lists.at(-1) ?? -1) < from ? undefined : lists.find(at => at >= from);

/** The list that begins at `from`, or after one blank. */
function adjoining(lists: ReadonlySet<number>, message: string, from: number): number | undefined {
  const at = message.startsWith(' ', from) ? from + 1 : from;
  return lists.has(at) ? at : undefined;
}
