import type { Dashboard, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { VariableType } from '@grafana/grafana-foundation-sdk/dashboard';

/** The oldest Grafana version that supports all panels, transformations and links used. */
const oldestGrafana = '10.4.0';

const panelNames: Readonly<Record<string, string>> = {
  bargauge: 'Bar gauge',
  heatmap: 'Heatmap',
  logs: 'Logs',
  stat: 'Stat',
  'state-timeline': 'State timeline',
  table: 'Table',
  timeseries: 'Time series',
  traces: 'Traces',
};

type Kind = Readonly<{ id: string; input: string; name: string }>;

/** An input that Grafana asks for on import, by kind of data source. */
const kindOf = (id: string): Kind => ({
  id,
  input: `DS_${id.toUpperCase()}`,
  name: `${id.charAt(0).toUpperCase()}${id.slice(1)}`,
});

/** The kind that a data source variable chooses from; undefined for any other variable. */
const sourceOf = ({ type, query }: VariableModel): Kind | undefined =>
  type === VariableType.Datasource && typeof query === 'string' ? kindOf(query) : undefined;

/** The dashboard for import through the UI or grafana.com: it lists its requirements and asks for the data sources. */
export function importable(dashboard: Dashboard): unknown {
  const variables = dashboard.templating.list ?? [];
  const kinds = variables.flatMap(one => sourceOf(one) ?? []);
  const panels = [...new Set(dashboard.panels?.map(({ type }) => type))].filter(type => type !== 'row').toSorted();
  return {
    __inputs: kinds.map(({ id, input, name }) => ({
      name: input,
      label: name,
      description: '',
      type: 'datasource',
      pluginId: id,
      pluginName: name,
    })),
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: oldestGrafana },
      ...kinds.map(({ id, name }) => ({ type: 'datasource', id, name, version: '1.0.0' })),
      ...panels.map(id => ({ type: 'panel', id, name: panelNames[id] ?? id, version: '' })),
    ],
    ...dashboard,
    templating: { list: variables.map(preset) },
  };
}

function preset(variable: VariableModel): VariableModel {
  const kind = sourceOf(variable);
  if (kind === undefined) return variable;
  const asked = `\${${kind.input}}`;
  return { ...variable, current: { text: asked, value: asked } };
}
