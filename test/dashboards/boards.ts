import { readdirSync, readFileSync } from 'node:fs';

/** A dashboard as it is in its file; as much of it as tests look at. */
export type Board = {
  title: string;
  uid: string;
  editable: boolean;
  schemaVersion: number;
  tags: string[];
  links: { type: string; tags: string[]; includeVars: boolean; keepTime: boolean }[];
  templating: { list: Variable[] };
  annotations: { list: { expr?: string }[] };
  panels: BoardPanel[];
};

export type Variable = {
  name: string;
  type: string;
  label?: string;
  description?: string;
  query?: string;
  datasource?: Source;
  refresh?: number;
  multi?: boolean;
  allValue?: string;
};

export type Source = { type: string; uid: string };

export type BoardPanel = {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: Source;
  gridPos: { x: number; y: number; w: number; h: number };
  interval?: string;
  maxDataPoints?: number;
  targets?: Target[];
  transformations?: { id: string; options: Record<string, unknown> }[];
  options?: Record<string, unknown>;
  fieldConfig?: {
    defaults: { unit?: string; noValue?: string; mappings?: unknown[]; links?: { url: string }[] };
    overrides: {
      matcher: { id: string; options: string };
      properties: { id: string; value: unknown }[];
    }[];
  };
};

export type Target = {
  refId: string;
  expr?: string;
  query?: string;
  datasource: Source;
  legendFormat?: string;
  instant?: boolean;
  format?: string;
  queryType?: string;
  maxLines?: number;
};

export const folder = 'dashboards/grafana';
const jsonFiles = (from: string): readonly string[] => readdirSync(from).filter(name => name.endsWith('.json'));
export const boardFiles = jsonFiles(folder);

export const readBoard = (name: string, from = folder): Board =>
  JSON.parse(readFileSync(`${from}/${name}`, 'utf8')) as Board;

export const boards: readonly Board[] = boardFiles.map(name => readBoard(name));

/** The build for VictoriaLogs: only dashboards with log panels. */
export const victoriaLogsFolder = 'dashboards/grafana-victorialogs';
export const victoriaLogsBoards: readonly Board[] = jsonFiles(victoriaLogsFolder).map(name =>
  readBoard(name, victoriaLogsFolder),
);

/** Everything but the headings of rows. */
export const panelsOf = ({ panels }: Board): readonly BoardPanel[] => panels.filter(({ type }) => type !== 'row');

/** Every query of a kind of data source, with where it is. */
export const targetsOf = (board: Board, type: string): readonly { panel: BoardPanel; target: Target; expr: string }[] =>
  panelsOf(board).flatMap(panel =>
    (panel.targets ?? [])
      .filter(({ datasource }) => datasource.type === type)
      .map(target => ({ panel, target, expr: target.expr ?? '' })),
  );
