import {
  createTheme,
  DashboardCursorSync,
  dateTime,
  EventBusSrv,
  FieldType,
  getDisplayProcessor,
  LoadingState,
  ThemeContext,
  VizOrientation,
} from '@grafana/data';
import {
  BarGauge,
  BigValue,
  GlobalStyles,
  PanelChrome,
  PanelContextProvider,
  Table,
  TimeSeries,
  VizRepeater,
} from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { framesOf } from './data.js';
import { Bands, Heatmap, Logs } from './drawn.jsx';
import { prepared } from './fields.js';
import { address, from, hours, stepOf, to } from './range.js';

const theme = createTheme({ colors: { mode: address.get('theme') ?? 'dark' } });
const timeRange = {
  from: dateTime(from * 1000),
  to: dateTime(to * 1000),
  raw: { from: `now-${hours}h`, to: 'now' },
};
const width = 1600;

/** Grafana says so in the middle of a panel that has nothing to show. */
const Empty = ({ panel }) => (
  <div
    style={{
      display: 'flex',
      height: '100%',
      alignItems: 'center',
      justifyContent: 'center',
      textAlign: 'center',
      color: theme.colors.text.secondary,
      fontSize: 14,
      padding: 8,
    }}
  >
    {panel.fieldConfig?.defaults?.noValue ?? 'No data'}
  </div>
);

const numberOf = frame => frame.fields.find(({ type }) => type === FieldType.number);

function Stat({ panel, frames, width: w, height }) {
  const field = frames.length === 0 ? undefined : numberOf(frames[0]);
  const value = field?.values.at(-1);
  const named = panel.options.textMode === 'name';
  const shown =
    field === undefined
      ? { text: panel.fieldConfig.defaults.noValue, numeric: Number.NaN, color: theme.colors.text.primary }
      : { ...field.display(value), ...(named ? { text: frames[0].name, prefix: '', suffix: '' } : {}) };
  return (
    <BigValue
      value={{ ...shown, title: '' }}
      theme={theme}
      width={w}
      height={height}
      colorMode={field === undefined ? 'none' : panel.options.colorMode}
      graphMode="none"
      justifyMode="auto"
      textMode="value"
    />
  );
}

function Ranking({ panel, frames, width: w, height }) {
  const bars = frames.map(frame => {
    const field = numberOf(frame);
    return {
      field,
      display: {
        ...field.display(field.values.at(-1)),
        title: field.config.displayName ?? field.config.displayNameFromDS,
      },
    };
  });
  const most = Math.max(1, ...bars.map(({ field }) => field.values.at(-1)));
  return (
    <VizRepeater
      source={bars}
      getValues={() => bars}
      renderCounter={bars.length}
      width={w}
      height={height}
      orientation={VizOrientation.Horizontal}
      itemSpacing={8}
      minVizHeight={16}
      maxVizHeight={panel.options.maxVizHeight}
      renderValue={({ value: { field, display }, width: bw, height: bh }) => (
        <BarGauge
          value={display}
          field={{ ...field.config, min: 0, max: most }}
          display={getDisplayProcessor({ field, theme })}
          width={bw}
          height={bh}
          theme={theme}
          orientation={VizOrientation.Horizontal}
          displayMode={panel.options.displayMode}
          showUnfilled
          itemSpacing={8}
          lcdCellWidth={8}
          text={panel.options.text ?? {}}
          alignmentFactors={{
            title: bars.reduce(
              (longest, one) => (one.display.title.length > longest.length ? one.display.title : longest),
              '',
            ),
            text: String(most),
          }}
        />
      )}
    />
  );
}

const sortOf = panel => panel.options.sortBy?.map(({ displayName, desc }) => ({ displayName, desc }));

/** Sums in the legend, as Grafana's own panel writes them. */
const legendOf = panel => ({
  showLegend: true,
  displayMode: 'list',
  placement: 'bottom',
  calcs: [],
  ...panel.options.legend,
});

function Drawn({ panel, frames, width: w, height }) {
  const size = { width: w, height };
  if (panel.type === 'stat') return <Stat panel={panel} frames={frames} {...size} />;
  if (frames.length === 0 || frames.every(({ length }) => length === 0)) return <Empty panel={panel} />;
  if (panel.type === 'bargauge') return <Ranking panel={panel} frames={frames} {...size} />;
  if (panel.type === 'table')
    return <Table data={frames[0]} {...size} columnMinWidth={70} initialSortBy={sortOf(panel)} />;
  if (panel.type === 'timeseries')
    return (
      <TimeSeries
        frames={frames}
        structureRev={1}
        timeRange={timeRange}
        timeZone="utc"
        legend={legendOf(panel)}
        options={{}}
        {...size}
      />
    );
  if (panel.type === 'heatmap')
    return <Heatmap frames={frames} panel={panel} theme={theme} step={stepOf(panel)} {...size} />;
  if (panel.type === 'state-timeline') return <Bands frames={frames} theme={theme} {...size} />;
  if (panel.type === 'logs') return <Logs frames={frames} theme={theme} {...size} />;
  return <Empty panel={panel} />;
}

function Viz({ panel, width: w, height }) {
  const [state, set] = React.useState({});
  React.useEffect(() => {
    framesOf(panel)
      .then(async frames => prepared(panel, frames, theme))
      .then(
        frames => set({ frames }),
        error => {
          console.error(`${panel.title}: ${String(error?.stack ?? error)}`);
          set({ error });
        },
      );
  }, []);
  if (state.error !== undefined) return <pre>{String(state.error)}</pre>;
  return state.frames === undefined ? null : <Drawn panel={panel} frames={state.frames} width={w} height={height} />;
}

/** The line with the choices, as Grafana has it on top. */
function Choices({ board }) {
  const box = {
    border: `1px solid ${theme.colors.border.medium}`,
    padding: '5px 10px',
    color: theme.colors.text.primary,
    background: theme.colors.background.primary,
  };
  const shown = board.templating.list.filter(({ name }) => !name.endsWith('_datasource') && name !== 'job');
  return (
    <div style={{ display: 'flex', gap: 12, fontSize: 13, alignItems: 'center', height: 34 }}>
      {shown.map(({ name, label, type }) => (
        <div key={name} style={{ display: 'flex' }}>
          <span
            style={{
              ...box,
              color: theme.colors.text.secondary,
              borderRight: 'none',
              background: theme.colors.background.secondary,
            }}
          >
            {label}
          </span>
          <span style={{ ...box, minWidth: 24, maxWidth: 210, overflow: 'hidden', whiteSpace: 'nowrap' }}>
            {address.get(`var-${name}`) ?? (type === 'textbox' ? ' ' : 'All')}
          </span>
        </div>
      ))}
    </div>
  );
}

function Board({ board }) {
  const unit = (width - 32) / 24;
  const row = 38;
  const top = 92;
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const range = hours === 24 ? 'Last 24 hours' : `Last ${hours / 24} days`;
  return (
    <div
      style={{
        background: theme.colors.background.canvas,
        position: 'relative',
        width,
        height: top + bottom * row + 16,
      }}
    >
      <div style={{ padding: '12px 16px 0', display: 'flex', justifyContent: 'space-between' }}>
        <div style={{ fontSize: 18, color: theme.colors.text.primary, fontWeight: 500 }}>{board.title}</div>
        <div style={{ fontSize: 13, color: theme.colors.text.secondary }}>{range} (UTC)</div>
      </div>
      <div style={{ padding: '10px 16px' }}>
        <Choices board={board} />
      </div>
      {board.panels.map(panel => {
        const { x, y, w, h } = panel.gridPos;
        const place = {
          position: 'absolute',
          left: 16 + x * unit,
          top: top + y * row,
          width: w * unit - 8,
          height: h * row - 8,
        };
        if (panel.type === 'row')
          return (
            <div
              key={panel.id}
              style={{ ...place, color: theme.colors.text.primary, fontSize: 16, fontWeight: 500, paddingTop: 6 }}
            >
              {panel.title}
            </div>
          );
        return (
          <div key={panel.id} style={place}>
            <PanelChrome
              title={panel.title}
              description={panel.description}
              width={place.width}
              height={place.height}
              loadingState={LoadingState.Done}
            >
              {(w_, h_) => <Viz panel={panel} width={w_} height={h_} />}
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}

const context = {
  eventBus: new EventBusSrv(),
  eventsScope: 'preview',
  sync: () => DashboardCursorSync.Off,
  canAddAnnotations: () => false,
};

const board = await (await fetch(`/boards/${address.get('board')}.json`)).json();
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PanelContextProvider value={context}>
      <Board board={board} />
    </PanelContextProvider>
  </ThemeContext.Provider>,
);
