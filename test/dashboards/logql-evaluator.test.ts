import { describe, expect, test } from '@jest/globals';
import type { Line } from '../support/loki-receiver.js';
import { linesOf, vectorOf } from './logql-evaluator.js';

const line = (second: number, labels: Readonly<Record<string, string>>): Line => ({
  at: String(BigInt(second) * 1_000_000_000n),
  text: 'text',
  labels: { service_name: 'vb365-exporter', ...labels },
});
const all = [
  line(10, { user: 'A\\Bob', size: '1', status: 'Failed' }),
  line(20, { user: 'a\\bob', size: '3', status: 'Success' }),
  line(30, { user: 'carol', status: 'Success' }),
];
const selector = '{service_name="vb365-exporter"}';
const vector = (query: string, at = 30): readonly (readonly [Readonly<Record<string, string>>, number])[] =>
  vectorOf(query, { lines: all, at }).map(({ labels, value }) => [labels, value]);
const users = (query: string): readonly (string | undefined)[] =>
  linesOf(query, all).map(({ labels }) => labels['user']);

describe('the evaluator of LogQL', () => {
  test.each([
    [`${selector} | status="Failed"`, ['A\\Bob']],
    [`${selector} | status!="Failed" | size!=""`, ['a\\bob']],
    [`${selector} | user=~\`(?is).*bob.*\` or status!~"Failed|Success"`, ['A\\Bob', 'a\\bob']],
    [`${selector} | user=~"bob"`, []],
    ['{service_name="other"}', []],
    [`${selector} | label_format hour=\`{{ __timestamp__ | date "15" }}\` | hour="00"`, ['A\\Bob', 'a\\bob', 'carol']],
  ])('%s selects lines', (query, found) => {
    expect(users(query)).toEqual(found);
  });

  test('counts in a range that begins after its first moment', () => {
    expect(vector(`sum(count_over_time(${selector} [20s]))`)).toEqual([[{}, 2]]);
    expect(vector(`sum(count_over_time(${selector} | status="none" [20s])) or vector(0)`)).toEqual([[{}, 0]]);
  });

  test('groups, and keeps the highest', () => {
    const grouped = `sum by (who) (count_over_time(${selector} | label_format who=\`{{ ToLower .user }}\` [1m]))`;
    expect(vector(`sort_desc(topk(1, ${grouped}))`)).toEqual([[{ who: 'a\\bob' }, 2]]);
    expect(vector(`count(${grouped})`)).toEqual([[{}, 2]]);
  });

  test('takes numbers from lines that have them', () => {
    expect(vector(`sum(sum_over_time(${selector} | unwrap size [1m]))`)).toEqual([[{}, 4]]);
    expect(vector(`max(max_over_time(${selector} | unwrap size [1m]))`)).toEqual([[{}, 3]]);
    expect(vector(`quantile_over_time(0.5, ${selector} | unwrap size [1m]) by ()`)).toEqual([[{}, 2]]);
  });

  test.each([
    [`rate(${selector} [1m])`, 'Unknown range operation Rate'],
    [`avg(count_over_time(${selector} [1m]))`, 'Unknown aggregation Avg'],
    [`${selector} | line_format "a"`, 'has no LabelFilter'],
    [`${selector} | `, 'Could not parse LogQL'],
  ])('%s, which no dashboard needs, is an error', (query, message) => {
    expect(() => (query.startsWith('{') ? linesOf(query, all) : vector(query))).toThrow(message);
  });
});
