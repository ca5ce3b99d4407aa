import { FieldType, toDataFrame } from '@grafana/data';
import { filledIn, from, stepOf, to } from './range.js';

async function ask(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text).data;
}

const named = (format, labels) =>
  format ? format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '') : Object.values(labels).join(' ');

/** A frame per series, as Grafana's data sources for Prometheus and Loki make them. */
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
function recordFrame(result) {
  const lines = result
    .flatMap(({ stream, values }) =>
      values.map(([at, line]) => ({ at: Number(BigInt(at) / 1_000_000n), line, stream })),
    )
    .sort((a, b) => b.at - a.at);
  const names = [...new Set(lines.flatMap(({ stream }) => Object.keys(stream)))];
  return toDataFrame({
    refId: 'A',
    fields: [
      { name: 'Time', type: FieldType.time, values: lines.map(({ at }) => at) },
      { name: 'Line', type: FieldType.string, values: lines.map(({ line }) => line) },
      ...names.map(name => ({ name, type: FieldType.string, values: lines.map(({ stream }) => stream[name] ?? '') })),
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

async function ofLoki(target, panel) {
  const step = stepOf(panel);
  const metric = /^(sum|sort|topk|count|max|quantile)/.test(target.expr);
  const overTime = metric && target.queryType === 'range';
  const query = encodeURIComponent(filledIn(target.expr, step, overTime));
  if (metric && !overTime) {
    const { result } = await ask(`/loki/loki/api/v1/query?query=${query}&time=${to}000000000`);
    return seriesFrames(result, target, step);
  }
  const span = `start=${Math.ceil(from / step) * step}&end=${to}`;
  const rest = metric ? `&step=${step}` : `&limit=${target.maxLines ?? 500}&direction=backward`;
  const { result } = await ask(`/loki/loki/api/v1/query_range?query=${query}&${span}${rest}`);
  return metric ? seriesFrames(result, target, step) : result.length === 0 ? [] : [recordFrame(result)];
}

/** What the queries of a panel answer. */
export async function framesOf(panel) {
  const frames = [];
  for (const target of panel.targets ?? []) {
    if (target.datasource.type === 'prometheus') frames.push(...(await ofPrometheus(target, panel)));
    if (target.datasource.type === 'loki') frames.push(...(await ofLoki(target, panel)));
  }
  return frames;
}
