import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createLog, type Log, logLevels, type LogOptions, toLogfmt } from '../../src/kernel/log.js';

/** A log, and the lines it has written. */
function logTo(over: Partial<LogOptions> = {}): Readonly<{ log: Log; lines: string[] }> {
  const lines: string[] = [];
  return { lines, log: createLog({ level: 'debug', format: 'logfmt', write: line => lines.push(line), ...over }) };
}

/** The line without its time, which is checked to be one. */
function timeless(line: string | undefined): string {
  const match = /^ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.*)\n$/.exec(line ?? '');
  return match?.[1] ?? `no line: ${String(line)}`;
}

describe('a log', () => {
  test.each(logLevels.map((level, index) => ({ level, expected: logLevels.slice(index) })))(
    'of level "$level" writes $expected',
    ({ level, expected }) => {
      const { log, lines } = logTo({ level });
      for (const one of logLevels) log[one]('Something happened');
      expect(lines.map(timeless)).toEqual(expected.map(one => `level=${one} msg="Something happened"`));
    },
  );
  test('writes logfmt: time, level and message first, facts after them', () => {
    const { log, lines } = logTo();
    log.warn('Delivering failed', { sink: 'logs', count: 3, again: true, why: 'said "no"', none: undefined });
    const [line] = lines;
    expect(timeless(line)).toBe('level=warn msg="Delivering failed" sink=logs count=3 again=true why="said \\"no\\""');
  });
  test('writes JSON with the same names', () => {
    const { log, lines } = logTo({ format: 'json' });
    log.error('Delivering failed', { sink: 'logs', count: 3 });
    expect(lines).toHaveLength(1);
    const record: unknown = JSON.parse(lines.join(''));
    expect(record).toEqual({
      ts: expect.stringMatching(/^\d{4}-.*Z$/),
      level: 'error',
      msg: 'Delivering failed',
      sink: 'logs',
      count: 3,
    });
  });
  test('has children whose fields every line bears, and which leave their parent as it is', () => {
    const { log, lines } = logTo();
    const child = log.child({ server: 'hq' }).child({ sink: 'logs' });
    child.info('One');
    child.debug('Two', { open: 1 });
    log.info('Three');
    expect(lines.map(timeless)).toEqual([
      'level=info msg=One server=hq sink=logs',
      'level=debug msg=Two server=hq sink=logs open=1',
      'level=info msg=Three',
    ]);
  });
});

describe('logfmt', () => {
  test.each([
    ['plain', 'plain'],
    ['https://hq:4443/v8?', 'https://hq:4443/v8?'],
    ['', '""'],
    ['two words', '"two words"'],
    ['a=b', '"a=b"'],
    ['say "x"', '"say \\"x\\""'],
    ['C:\\temp', '"C:\\\\temp"'],
    ['first\nsecond\r\n', '"first\\nsecond\\r\\n"'],
    ['\u001B[31mred', '"\\u001b[31mred"'],
    ['next\u0085line', '"next\\u0085line"'],
    ['separated\u2028lines', '"separated\\u2028lines"'],
    ['turned\u202Earound', '"turned\\u202earound"'],
    ['\u009B31mred', '"\\u009b31mred"'],
    ['Bücher', 'Bücher'],
  ])('writes %j as %s', (value, written) => {
    expect(toLogfmt(JSON.stringify({ value }))).toBe(`value=${written}\n`);
  });
  test('is one line, and the value can be read back, whatever the value', () => {
    // As the unit `binary`, which takes a second to make a table of all code points.
    const character = fc
      .integer({ min: 0, max: 0x10_ffff })
      .filter(point => point < 0xd8_00 || point > 0xdf_ff)
      .map(point => String.fromCodePoint(point));
    fc.assert(
      fc.property(fc.string({ unit: character }), value => {
        const line = toLogfmt(JSON.stringify({ value }));
        expect(line.slice(0, -1)).not.toMatch(/[\p{C}\u2028\u2029]/u);
        const written = line.slice('value='.length, -1);
        expect(written.startsWith('"') ? JSON.parse(written) : written).toBe(value);
      }),
    );
  });
  test('of what is no record is the line as it came', () => {
    expect(toLogfmt('7')).toBe('7');
    expect(toLogfmt('null')).toBe('null');
  });
});
