import { FieldType, toDataFrame } from '@grafana/data';
import { filledIn, from, stepOf, to } from './range.js';

async function ask(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text).data;
}

const named = (format, labels) =>
  format ? format.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name) => labels[name] ?? '') : Object.values(labels).join(' ');

/** A frame per series, as Grafana's data sources for Prometheus and VictoriaLogs make them. */
function seriesFrames(result, target, step) {
  return result.map(({ metric, value, values = [value] }) =>
    toDataFrame({
      refId: target.refId,
      name: named(target.legendFormat, metric),
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          values: values.map(([at]) => at * 1000),
          config: { interval: step * 1000 },
        },
        {
          name: 'Value',
          type: FieldType.number,
          labels: metric,
          config: { displayNameFromDS: named(target.legendFormat, metric) || 'Value' },
          values: values.map(([, number]) => Number(number)),
        },
      ],
    }),
  );
}

/** One frame with a column per label. */
function tableFrame(result, refId) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))];
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map(() => to * 1000) },
      ...labels.map(name => ({ name, type: FieldType.string, values: result.map(({ metric }) => metric[name]) })),
      { name: `Value #${refId}`, type: FieldType.number, values: result.map(({ value }) => Number(value[1])) },
    ],
  });
}

/** Log records with their attributes as fields: what `extractFields` with `replace` and `keepTime` makes of them. */
function recordFrame(records) {
  const names = [...new Set(records.flatMap(record => Object.keys(record)))].filter(
    name => !/^_(time|msg)$/.test(name),
  );
  return toDataFrame({
    refId: 'A',
    fields: [
      { name: 'Time', type: FieldType.time, values: records.map(({ _time }) => Date.parse(_time)) },
      { name: 'Line', type: FieldType.string, values: records.map(({ _msg }) => _msg) },
      ...names.map(name => ({ name, type: FieldType.string, values: records.map(record => record[name] ?? '') })),
    ],
  });
}

async function ofPrometheus(target, panel) {
  const step = stepOf(panel);
  const query = encodeURIComponent(filledIn(target.expr, step));
  if (target.instant) {
    const { result } = await ask(`/prometheus/api/v1/query?query=${query}&time=${to}`);
    if (target.format === 'table') return result.length === 0 ? [] : [tableFrame(result, target.refId)];
    return seriesFrames(result, target, step);
  }
  const start = Math.ceil(from / step) * step;
  const end = Math.floor(to / step) * step;
  const { result } = await ask(`/prometheus/api/v1/query_range?query=${query}&start=${start}&end=${end}&step=${step}`);
  return seriesFrames(result, target, step);
}

async function ofVictoriaLogs(target, panel) {
  const step = stepOf(panel);
  const query = filledIn(target.expr, step);
  const span = `start=${Math.ceil(from / step) * step}&end=${to}`;
  if (target.queryType === 'stats') {
    const ranged = encodeURIComponent(`_time:[${from}, ${to}] ${query}`);
    const { result } = await ask(`/victorialogs/select/logsql/stats_query?query=${ranged}&time=${to}`);
    return seriesFrames(result, target, step);
  }
  const path = `/victorialogs/select/logsql/`;
  if (target.queryType === 'statsRange') {
    const { result } = await ask(`${path}stats_query_range?query=${encodeURIComponent(query)}&${span}&step=${step}s`);
    return seriesFrames(result, target, step);
  }
  const response = await fetch(
    `${path}query?query=${encodeURIComponent(query)}&${span}&limit=${target.maxLines ?? 500}`,
  );
  const records = (await response.text())
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
  return records.length === 0 ? [] : [recordFrame(records)];
}

/** What the queries of a panel answer. */
export async function framesOf(panel) {
  const frames = [];
  for (const target of panel.targets ?? []) {
    if (target.datasource.type === 'prometheus') frames.push(...(await ofPrometheus(target, panel)));
    if (target.datasource.type === 'victoriametrics-logs-datasource')
      frames.push(...(await ofVictoriaLogs(target, panel)));
  }
  return frames;
}
