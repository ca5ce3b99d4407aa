import { FieldType } from '@grafana/data';
import React from 'react';
import { from, to } from './range.js';

// Grafana's packages do not have these panels; they are drawn here, simply, in Grafana's colours.

const textStyle = theme => ({ fontSize: 12, fill: theme.colors.text.secondary });
const hour = seconds => new Date(seconds * 1000).toISOString().slice(11, 16);
const day = seconds => new Date(seconds * 1000).toISOString().slice(5, 10).replace('-', '/');

/** Times along the bottom. */
function Times({ x, y, width, theme }) {
  const count = Math.floor(width / 90);
  return Array.from({ length: count }, (_, index) => {
    const at = from + ((index + 0.5) / count) * (to - from);
    const rounded = to - from > 3 * 86_400 ? Math.round(at / 86_400) * 86_400 : Math.round(at / 3600) * 3600;
    return (
      <text key={index} x={x(rounded)} y={y} textAnchor="middle" style={textStyle(theme)}>
        {to - from > 3 * 86_400 ? day(rounded) : hour(rounded)}
      </text>
    );
  });
}

export function Heatmap({ frames, panel, width, height, theme, step }) {
  const rows = frames
    .map(frame => {
      const field = frame.fields.find(({ type }) => type === FieldType.number);
      return {
        le: field.labels?.le === '+Inf' ? Infinity : Number(field.labels?.le),
        times: frame.fields[0].values,
        values: field.values,
      };
    })
    .sort((a, b) => a.le - b.le);
  const own = rows.map(({ le, times, values }, index) => ({
    le,
    cells: values.map((value, at) => ({
      at: times[at] / 1000,
      count: Math.max(0, value - (rows[index - 1]?.values[at] ?? 0)),
    })),
  }));
  const most = Math.max(1, ...own.flatMap(({ cells }) => cells.map(({ count }) => count)));
  const left = 62;
  const x = at => left + ((at - from) / (to - from)) * (width - left);
  const rowHeight = (height - 38) / own.length;
  const label = le =>
    le === Infinity ? 'longer' : le < 60 ? `${le} s` : le < 3600 ? `${le / 60} min` : `${le / 3600} h`;
  return (
    <svg width={width} height={height}>
      {own.map(({ le, cells }, index) => {
        const top = height - 24 - (index + 1) * rowHeight;
        return (
          <g key={le}>
            <text x={left - 8} y={top + 4} textAnchor="end" style={textStyle(theme)}>
              {label(le)}
            </text>
            <line x1={left} x2={width} y1={top} y2={top} stroke={theme.colors.border.weak} />
            {cells.map(({ at, count }) =>
              count < 0.5 ? null : (
                <rect
                  key={at}
                  x={x(at - step) + 1}
                  y={top + 1}
                  width={Math.max(2, x(at) - x(at - step) - 2)}
                  height={rowHeight - 2}
                  fill={theme.visualization.getColorByName('blue')}
                  opacity={0.25 + 0.75 * Math.sqrt(count / most)}
                />
              ),
            )}
          </g>
        );
      })}
      <Times x={x} y={height - 6} width={width - left} theme={theme} />
      <title>{panel.title}</title>
    </svg>
  );
}

export function Bands({ frames, width, height, theme }) {
  const left = 90;
  const x = at => left + ((at - from) / (to - from)) * (width - left);
  const rowHeight = Math.min(60, (height - 24) / Math.max(1, frames.length));
  return (
    <svg width={width} height={height}>
      {frames.map((frame, row) => {
        const field = frame.fields.find(({ type }) => type === FieldType.number);
        const times = frame.fields[0].values.map(at => at / 1000);
        return (
          <g key={row}>
            <text x={0} y={(row + 0.55) * rowHeight} style={textStyle(theme)}>
              {field.config.displayNameFromDS}
            </text>
            {times.map((at, index) => (
              <rect
                key={at}
                x={x(at)}
                y={row * rowHeight + rowHeight * 0.1}
                width={Math.max(0.5, x(times[index + 1] ?? at) - x(at) + 0.3)}
                height={rowHeight * 0.8}
                fill={field.display(field.values[index]).color}
                opacity={0.85}
              />
            ))}
          </g>
        );
      })}
      <Times x={x} y={height - 6} width={width - left} theme={theme} />
    </svg>
  );
}

export function Logs({ frames, height, theme }) {
  const [frame] = frames;
  const valueOf = (name, index) => frame.fields.find(field => field.name === name)?.values[index];
  const colour = level => theme.visualization.getColorByName({ error: 'red', warn: 'yellow' }[level] ?? 'green');
  const lines = Array.from(
    { length: Math.min(frame.length, Math.floor(height / 21)) },
    (_, index) => frame.length - 1 - index,
  );
  return (
    <div style={{ fontFamily: 'monospace', fontSize: 12, overflow: 'hidden', height }}>
      {lines.map(index => (
        <div key={index} style={{ display: 'flex', height: 21, alignItems: 'center', whiteSpace: 'nowrap' }}>
          <span
            style={{
              width: 4,
              flexShrink: 0,
              height: 17,
              marginRight: 8,
              background: colour(valueOf('detected_level', index)),
            }}
          />
          <span style={{ color: theme.colors.text.secondary, marginRight: 12 }}>
            {new Date(valueOf('Time', index)).toISOString().replace('T', ' ').slice(0, 23)}
          </span>
          <span style={{ color: theme.colors.text.primary }}>{valueOf('Line', index)}</span>
        </div>
      ))}
    </div>
  );
}
