import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { DataqueryBuilder as PromQueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { DataqueryBuilder as TempoQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { chosen } from './variables.js';

export type Query = Builder<Dataquery>;

/** Matchers for series per server. */
export const ofServer = 'job=~"$job",server=~"$server"';
/** Matchers for series per organization. */
export const ofTenant = `${ofServer},organization=~"$organization",workload=~"$workload"`;
/** Matchers for series of an exporter process. */
export const ofProcess = 'job=~"$job",instance=~"$instance"';

const prometheus = (expr: string): PromQueryBuilder =>
  new PromQueryBuilder().datasource(chosen('prometheus')).expr(expr);

/** One value at the end of the time range. */
export const now = (expr: string, legend = ''): Query => prometheus(expr).instant().legendFormat(legend);

/** A value for each point of the graph. */
export const overTime = (expr: string, legend: string): Query => prometheus(expr).range().legendFormat(legend);
export const withExemplars = (expr: string, legend: string): Query =>
  prometheus(expr).range().legendFormat(legend).exemplar(true);

/** Rows of a table, one per series, at the end of the time range. */
export const rows = (expr: string): Query => prometheus(expr).instant().format(PromQueryFormat.Table);

/** The buckets of a histogram over time. */
export const buckets = (expr: string): Query =>
  prometheus(expr).range().legendFormat('{{le}}').format(PromQueryFormat.Heatmap);

/** Increase of a counter in the time range, as a whole number per group of series. */
export const counted = (selector: string, by = ''): string =>
  `sum${grouped(by)} (round(increase(${selector}[$__range])))`;

/**
 * Increase of a counter per bar of a graph. `$__rate_interval` is one scrape longer than a bar, so that an increase between
 * two bars is in exactly one of them. `increase` extrapolates to that length; the factor reverts it.
 */
export const perBar = (selector: string, by = ''): string =>
  `sum${grouped(by)} (round(increase(${selector}[$__rate_interval]) * $__interval_ms / $__rate_interval_ms))`;

/**
 * Maximum or minimum of a gauge between two points of a graph; over a month, points are hours apart. Several replicas may
 * have had it in that time.
 */
export const highest = (gauge: string, by: string): string =>
  `max by (${by}) (max_over_time(${gauge}[$__rate_interval]))`;
export const lowest = (gauge: string): string => `min_over_time(${gauge}[$__rate_interval])`;

/** The expression, or 0 while the exporter is scraped; no data when it is not, because "0 failed" would be wrong. */
export const orZero = (expr: string): string => `${expr}\nor\n0 * sum(vb365_server_up{${ofServer}})`;

/** A quantile of a histogram over the time range, or for each point of a graph. */
export const quantile = (q: number, bucket: string, by: string, range = '$__range'): string =>
  `histogram_quantile(${String(q)}, sum by (${['le', ...(by === '' ? [] : [by])].join(', ')}) (increase(${bucket}[${range}])))`;

const grouped = (by: string): string => (by === '' ? '' : ` by (${by})`);

/** A trace by its id. */
export const traceOf = (id: string): Query =>
  new TempoQueryBuilder().datasource(chosen('tempo')).queryType('traceql').query(id);
