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

const read = (folder: string): readonly DataSource[] => {
  const text = readFileSync(`examples/grafana/${folder}/datasources/vb365-exporter.yaml`, 'utf8');
  return (parse(text) as { datasources: readonly DataSource[] }).datasources;
};

const stacks = [
  {
    name: 'Loki and Tempo',
    sources: read('provisioning'),
    logs: ['loki', 'loki'],
    traces: ['tempo', 'tempo'],
    query: '{$${__tags}} | trace_id = "$${__trace.traceId}"',
  },
  {
    name: 'VictoriaLogs and Jaeger',
    sources: read('provisioning-victorialogs'),
    logs: ['victorialogs', 'victoriametrics-logs-datasource'],
    traces: ['jaeger', 'jaeger'],
    query: 'trace_id:="$${__trace.traceId}"',
  },
] as const;

describe.each(stacks)('the data sources for Grafana with $name', ({ sources, logs, traces, query }) => {
  const named = (uid: string) => sources.find(source => source.uid === uid)?.jsonData;

  test('have the uids that links name, and the types that dashboards choose from', () => {
    expect(sources.map(({ uid, type }) => [uid, type])).toEqual([['prometheus', 'prometheus'], logs, traces]);
  });

  test('lead from a metric to the trace, from the trace to the logs and back', () => {
    const [logsUid, tracesUid] = [logs[0], traces[0]];
    expect(named('prometheus')?.exemplarTraceIdDestinations).toEqual([{ name: 'trace_id', datasourceUid: tracesUid }]);
    expect(named(tracesUid)?.tracesToLogsV2).toMatchObject({ datasourceUid: logsUid, query });
    expect(named(logsUid)?.derivedFields).toEqual([
      expect.objectContaining({ datasourceUid: tracesUid, matcherType: 'label', matcherRegex: 'trace_id' }),
    ]);
  });

  test('ask for metrics that there are', () => {
    const queries = named(traces[0])?.tracesToMetrics?.queries.map(one => one.query) ?? [];
    const metrics = queries.flatMap(one => one.match(/vb365_\w+/g) ?? []);
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter(name => !families.some(family => family.name === name))).toEqual([]);
  });
});
