import { expect, test } from '@jest/globals';
import { assert, constant, integer, json as jsonText, oneof, property } from 'fast-check';
import { JsonMeter } from '../../src/source/answer-limits.js';

const deepest = 32;
const nested = (depth: number, inner = ''): string =>
  `${'[{"a":'.repeat(depth / 2)}"${inner}"${'}]'.repeat(depth / 2)}`;
/** Values as the limit counts them: by commas, colons and opening brackets outside strings. */
const valuesIn = (json: string): number => json.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/[^,:[{]/g, '').length;

/** The first fault of a text that arrives in these pieces. */
function faultOf(text: string, values: number, size = Infinity): string | undefined {
  const bytes = Buffer.from(text);
  const meter = new JsonMeter({ values });
  for (let at = 0; at < bytes.length; at += size) {
    const fault = meter.add(bytes.subarray(at, at + size));
    if (fault !== undefined) return fault.message;
  }
  return undefined;
}

const sizes = oneof(integer({ min: 1, max: 9 }), constant(Infinity));

test('an answer may hold as many values as its limit, however it is cut', () => {
  assert(
    property(jsonText({ maxDepth: 8 }), sizes, (json, size) => {
      const values = valuesIn(json);
      expect(faultOf(json, values, size)).toBeUndefined();
      if (values > 0) expect(faultOf(json, values - 1, size)).toMatch(/^the answer holds more than \d+ JSON values$/);
    }),
  );
});

test.each(['[[[', '\\"[[[', '\\\\\\"[[[', String.raw`é{,:\u005b`])('brackets in the string %j do not nest', inner => {
  for (let size = 1; size < 12; size += 1) {
    expect(faultOf(nested(deepest, inner), 1_000, size)).toBeUndefined();
    expect(faultOf(nested(deepest + 2, inner), 1_000, size)).toBe('the answer is nested deeper than 32 levels');
  }
});
