import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { DataqueryBuilder as LokiQueryBuilder, LokiQueryType } from '@grafana/grafana-foundation-sdk/loki';
import { DataqueryBuilder as PromQueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { DataqueryBuilder as TempoQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { chosen } from './variables.js';

export type Query = Builder<Dataquery>;

/** Matchers of what a VB365 server has in total. */
export const ofServer = 'job=~"$job",server=~"$server"';
/** Matchers of what is told per organization. */
export const ofTenant = `${ofServer},organization=~"$organization",workload=~"$workload"`;
/** Matchers of a running exporter. */
export const ofProcess = 'job=~"$job",instance=~"$instance"';

const prometheus = (expr: string): PromQueryBuilder =>
  new PromQueryBuilder().datasource(chosen('prometheus')).expr(expr);

/** One value at the end of the time range. */
export const now = (expr: string, legend = ''): Query => prometheus(expr).instant().legendFormat(legend);

/** A value for each point of the graph, with exemplars when there are any. */
export const overTime = (expr: string, legend: string): Query => prometheus(expr).range().legendFormat(legend);
export const withExemplars = (expr: string, legend: string): Query =>
  prometheus(expr).range().legendFormat(legend).exemplar(true);

/** Rows of a table, one per series, at the end of the time range. */
export const rows = (expr: string): Query => prometheus(expr).instant().format(PromQueryFormat.Table);

/** The buckets of a histogram, each point for itself. */
export const buckets = (expr: string): Query =>
  prometheus(expr).range().legendFormat('{{le}}').format(PromQueryFormat.Heatmap);

/** How much a counter rose within the time range: a whole number, for each group of series. */
export const counted = (selector: string, by = ''): string =>
  `sum${grouped(by)} (round(increase(${selector}[$__range])))`;

/**
 * How much a counter rose for each bar of a graph. `$__rate_interval` is the width of a bar and one scrape more, so that
 * what rises between the last scrape of a bar and the first of the next is in exactly one of them; `increase` stretches
 * what it saw to that length, and the factor takes it back.
 */
export const perBar = (selector: string, by = ''): string =>
  `sum${grouped(by)} (round(increase(${selector}[$__rate_interval]) * $__interval_ms / $__rate_interval_ms))`;

/**
 * The highest or the lowest that a gauge was between two points of a graph: over a month there are hours between them, and
 * what came and went in between would not be seen.
 */
export const highest = (gauge: string): string => `max_over_time(${gauge}[$__rate_interval])`;
export const lowest = (gauge: string): string => `min_over_time(${gauge}[$__rate_interval])`;

/**
 * 0 where the exporter is scraped but nothing was counted yet; nothing at all where it is not scraped, because "0 failed"
 * would be a lie there.
 */
export const orZero = (expr: string): string => `${expr}\nor\n0 * sum(vb365_server_up{${ofServer}})`;

/** A quantile of a histogram over the time range, or for each point of a graph. */
export const quantile = (q: number, bucket: string, by: string, range = '$__range'): string =>
  `histogram_quantile(${String(q)}, sum by (${['le', ...(by === '' ? [] : [by])].join(', ')}) (increase(${bucket}[${range}])))`;

const grouped = (by: string): string => (by === '' ? '' : ` by (${by})`);

const loki = (expr: string): LokiQueryBuilder => new LokiQueryBuilder().datasource(chosen('loki')).expr(expr);

/** Log records, newest first. */
export const records = (expr: string, maxLines = 500): Query =>
  loki(expr).queryType(LokiQueryType.Range).maxLines(maxLines);

/** One value over the time range. */
export const logsNow = (expr: string, legend = ''): Query =>
  loki(expr).queryType(LokiQueryType.Instant).legendFormat(legend);

/** A value for each bar of a graph; `$__auto` in it is the width of a bar. */
export const logsOverTime = (expr: string, legend: string): Query =>
  loki(expr).queryType(LokiQueryType.Range).legendFormat(legend);

/** A trace by its id. */
export const traceOf = (id: string): Query =>
  new TempoQueryBuilder().datasource(chosen('tempo')).queryType('traceql').query(id);
