import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { families } from '../../src/metrics/catalogue.js';

type Link = Readonly<{ datasourceUid: string }>;
type DataSource = Readonly<{
  uid: string;
  type: string;
  jsonData: Readonly<{
    exemplarTraceIdDestinations?: readonly (Link & Readonly<{ name: string }>)[];
    derivedFields?: readonly (Link & Readonly<{ matcherType: string; matcherRegex: string; url: string }>)[];
    tracesToLogsV2?: Link & Readonly<{ query: string }>;
    tracesToMetrics?: Link & Readonly<{ queries: readonly Readonly<{ query: string }>[] }>;
  }>;
}>;

const path = 'examples/grafana/provisioning/datasources/vb365-exporter.yaml';
const { datasources } = parse(readFileSync(path, 'utf8')) as { datasources: readonly DataSource[] };
const { prometheus, loki, tempo } = Object.fromEntries(datasources.map(source => [source.uid, source]));

describe('the data sources for Grafana', () => {
  test('have the uids that links and dashboards name', () => {
    expect(datasources.map(({ uid, type }) => [uid, type])).toEqual([
      ['prometheus', 'prometheus'],
      ['loki', 'loki'],
      ['tempo', 'tempo'],
    ]);
  });

  test('lead from a metric to the trace, from the trace to the logs and back', () => {
    expect(prometheus?.jsonData.exemplarTraceIdDestinations).toEqual([{ name: 'trace_id', datasourceUid: 'tempo' }]);
    expect(tempo?.jsonData.tracesToLogsV2).toMatchObject({
      datasourceUid: 'loki',
      query: '{$${__tags}} | trace_id = "$${__trace.traceId}"',
    });
    expect(loki?.jsonData.derivedFields).toEqual([
      expect.objectContaining({ datasourceUid: 'tempo', matcherType: 'label', matcherRegex: 'trace_id' }),
    ]);
  });

  test('ask for metrics that there are', () => {
    const queries = tempo?.jsonData.tracesToMetrics?.queries.map(({ query }) => query) ?? [];
    const named = queries.flatMap(query => query.match(/vb365_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(name => !families.some(family => family.name === name))).toEqual([]);
  });
});
