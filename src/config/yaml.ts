import { LineCounter, parseDocument } from 'yaml';
import { ExporterError } from '../kernel/errors.js';

/** What is wrong at a place of a YAML text. The library's own words may hold pieces of the file. */
const faults: Readonly<Record<string, string>> = {
  BAD_DQ_ESCAPE: 'an escape in double quotes is not known; put a text with backslashes in single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BLOCK_AS_IMPLICIT_KEY: 'a value holds ": "; put it in quotes, or begin a new line',
  DUPLICATE_KEY: 'the key stands here a second time',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTIPLE_DOCS: 'a second document begins',
  TAB_AS_INDENT: 'a tab indents the line; use spaces',
  TAG_RESOLVE_FAILED: 'the tag is not known',
};

/**
 * Reads a YAML 1.2 text into plain data; a key without a value is `undefined`, an empty text an empty mapping.
 * @throws {ExporterError} `config`, one line that begins with `failure` and names line and column.
 */
export function parseYaml(text: string, failure: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault === undefined) return plain(() => document.toJS(), failure);
  const { line, col } = lineCounter.linePos(fault.pos[0]);
  const why = faults[fault.code] ?? 'the text is not valid YAML';
  throw new ExporterError('config', `${failure}: line ${String(line)}, column ${String(col)}: ${why}`);
}

/** An alias is resolved only here. */
function plain(toJs: () => unknown, failure: string): unknown {
  try {
    return withoutNulls(toJs()) ?? {};
  } catch (thrown) {
    if (!(thrown instanceof ReferenceError)) throw thrown;
    throw new ExporterError(
      'config',
      `${failure}: an alias (\`*name\`) has no anchor (\`&name\`), or there are too many`,
    );
  }
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)]));
}
