import { CST, type Document, isScalar, Lexer, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { ExporterError } from '../kernel/errors.js';

/** Messages by error code. Those of the library can contain parts of the file, which may be secret. */
const faults: Readonly<Record<string, string>> = {
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; write text with backslashes in single quotes',
  BAD_INDENT: 'the indentation does not match the surrounding lines',
  BLOCK_AS_IMPLICIT_KEY: 'a value contains ": "; write it in quotes, or start a new line',
  DUPLICATE_KEY: 'duplicate key',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTIPLE_DOCS: 'only one document is allowed',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'it is nested too deeply, or a mapping holds too many keys',
  TAB_AS_INDENT: 'the line is indented with a tab; use spaces',
  TAG_RESOLVE_FAILED: 'unknown tag',
};

/** Levels of mappings and lists. The configuration has five. */
const maxDepth = 32;
/** About 20 for each key of a server: enough for thousands of servers. More take the library seconds. */
const maxTokens = 500_000;
/** Comparisons of keys of one mapping with one another. 2,000 keys need 2,000,000. */
const maxComparisons = 2_000_000;

/**
 * Parses YAML 1.2 to plain data. A key without a value is `undefined`; an empty text is an empty mapping.
 * @throws {ExporterError} `config`: one line that begins with `failure` and names line and column.
 */
export function parseYaml(text: string, failure: string): unknown {
  try {
    checkTokens(text, failure);
    return withoutNulls(documentOf(text, failure).toJS()) ?? {};
  } catch (thrown) {
    if (thrown instanceof ExporterError) throw thrown;
    throw new ExporterError('config', `${failure}: ${whyUnusable(thrown)}`);
  }
}

/** The library resolves aliases only in `toJS`, and recurses into nested collections. */
function whyUnusable(thrown: unknown): string {
  if (thrown instanceof ReferenceError) return 'an alias (`*name`) has no anchor (`&name`), or there are too many';
  if (thrown instanceof RangeError) return 'it is nested too deeply, or an alias (`*name`) contains itself';
  throw thrown;
}

/** The change of the depth of flow collections. */
const flowSteps: ReadonlyMap<string | null, number> = new Map([
  ['flow-seq-start', 1],
  ['flow-map-start', 1],
  ['flow-seq-end', -1],
  ['flow-map-end', -1],
]);

/** Indicators that nest block collections within a line, as in `- - - a`. */
const compact: ReadonlySet<string | null> = new Set(['seq-item-ind', 'explicit-key-ind']);

/**
 * Refuses content that the library would read for seconds or minutes. The lexer takes time in proportion to the text; the
 * parser does not, and collects an error for each fault.
 */
function checkTokens(text: string, failure: string): void {
  const tooMuch = (why: string): ExporterError => new ExporterError('config', `${failure}: ${why}`);
  let [tokens, flow, inLine] = [0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    tokens += 1;
    flow += flowSteps.get(type) ?? 0;
    if (compact.has(type)) inLine += 1;
    else if (type === 'newline') inLine = 0;
    if (flow > maxDepth || inLine > maxDepth) throw tooMuch('it is nested too deeply');
    if (tokens > maxTokens) throw tooMuch('it holds too many values');
  }
}

/** Whether two keys are the same. The library compares each key with every other one of its mapping. */
function keyComparison(): (a: ParsedNode, b: ParsedNode) => boolean {
  let comparisons = 0;
  return (a, b) => {
    comparisons += 1;
    // The library catches this as RESOURCE_EXHAUSTION.
    if (comparisons > maxComparisons) throw new RangeError('too many keys');
    return isScalar(a) && isScalar(b) && a.value === b.value;
  };
}

function documentOf(text: string, failure: string): Document {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: keyComparison(),
  });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault === undefined) return document;
  const { line, col } = lineCounter.linePos(fault.pos[0]);
  const why = faults[fault.code] ?? 'the text is not valid YAML';
  throw new ExporterError('config', `${failure}: line ${String(line)}, column ${String(col)}: ${why}`);
}

/** @throws {RangeError} when the data is nested too deeply, as it is when an alias contains itself. */
function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > maxDepth) throw new RangeError('nested too deeply');
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(one => withoutNulls(one, depth + 1));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner, depth + 1)]));
}

/** A mapping of plain data. */
export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a path of plain data; undefined when there is none. */
export const valueAt = (data: unknown, ...path: readonly string[]): unknown =>
  path.reduce((at, key) => (isMapping(at) ? at[key] : undefined), data);
