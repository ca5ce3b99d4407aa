/** What the message of an event says about its item. */
export type ItemMessage = Readonly<{
  name: string;
  type: string;
  source: string;
  target: string;
  /** `''` when the message tells of success. */
  reason: string;
}>;

const opening = 'Item ';
const typeMark = '(type: ';
const sourceMark = '; source: ';
const targetMark = '; target: ';

/** ` was opened successfully`, ` was opened with warning: `; the part behind ` was` is only looked at, because matches may overlap. */
const verbPattern = / was(?=( [a-z]+ (?:(successfully)|with (?:warning|error)s?: )))/g;

/**
 * Reads the sentence that VB365 writes for an item:
 * `Item <name> was <verb> successfully|with warning: <reason> (type: <type>; source: <source>; target: <target>)`.
 * Undefined when the message is worded otherwise.
 *
 * The same language as the regular expression that fits all 139 captured messages (names hold parentheses, colons,
 * trailing blanks and ` was `; so the last verb counts, and the first list in parentheses behind it), but in one pass:
 * a backtracking match takes quadratic time on a message made for it.
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
    return { name, reason: smooth ? '' : withoutLastBlank(message.slice(behind, list)), ...readList(message, list) };
  }
  return undefined;
}

/** Where a complete `(type: ...; source: ...; target: ...)` that reaches to the end of the message begins, ascending. */
function listStarts(message: string): readonly number[] {
  const lastTarget = message.lastIndexOf(targetMark, message.length - 1 - targetMark.length);
  const starts: number[] = [];
  let semicolon = -1;
  for (let at = message.indexOf(typeMark); at !== -1; at = message.indexOf(typeMark, at + 1)) {
    // A type holds no semicolon; the search goes on where the last one ended, or all of them together were quadratic.
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

/** The first list at `from` or later; searched for only when there is one, so that many verbs behind the last list cost nothing. */
const firstFrom = (lists: readonly number[], from: number): number | undefined =>
  (lists.at(-1) ?? -1) < from ? undefined : lists.find(at => at >= from);

/** The list that begins at `from`, or one blank later. */
function adjoining(lists: ReadonlySet<number>, message: string, from: number): number | undefined {
  const at = message.startsWith(' ', from) ? from + 1 : from;
  return lists.has(at) ? at : undefined;
}

const withoutLastBlank = (text: string): string => (text.endsWith(' ') ? text.slice(0, -1) : text);
