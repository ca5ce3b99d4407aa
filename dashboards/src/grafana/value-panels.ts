import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  TableCellHeight,
  TableSortByFieldStateBuilder,
  VizOrientation,
  VizTextDisplayOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { always, byThreshold, type Facts, framed, type PanelBuilder } from './panels.js';

const last = (): ReduceDataOptionsBuilder => new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);

/** Facts of a single number; three columns wide by default. */
export type StatFacts = Omit<Facts, 'width' | 'height'> & Partial<Pick<Facts, 'width' | 'height'>>;

/** One number, coloured by its thresholds if there are any. */
export function stat(facts: StatFacts): PanelBuilder {
  const plain = facts.steps === undefined;
  return framed(new Stat(), { width: 3, height: 4, steps: [[null, 'text']], ...facts })
    .reduceOptions(last())
    .graphMode(BigValueGraphMode.None)
    .colorMode(plain ? BigValueColorMode.None : BigValueColorMode.Value)
    .colorScheme(byThreshold());
}

/** Names of series instead of their values, such as a version. */
export const nameStat = (facts: StatFacts): PanelBuilder =>
  framed(new Stat(), { width: 3, height: 4, steps: [[null, 'text']], ...facts })
    .reduceOptions(last())
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.None)
    .textMode(BigValueTextMode.Name);

/** Organization and account names without the common suffix. */
const shortNames = { id: 'renameByRegex', options: { regex: '(.*)\\.onmicrosoft\\.com', renamePattern: '$1' } };

/** Grafana measures the space for names in this size; a larger one truncates names that fit. */
const titlePixels = 12;

/** One bar per series, in the order of the query. */
export const ranking = (facts: Facts & Readonly<{ colour: string }>): PanelBuilder =>
  framed(new BarGauge(), facts)
    .transformations([shortNames])
    .reduceOptions(last())
    .orientation(VizOrientation.Horizontal)
    .text(new VizTextDisplayOptionsBuilder().titleSize(titlePixels).valueSize(18))
    .maxVizHeight(48)
    .min(0)
    .colorScheme(always(facts.colour));

export type TableFacts = Facts &
  Readonly<{
    transformations: readonly DataTransformerConfig[];
    /** Sorts by this column, highest first. */
    sortBy?: string;
  }>;

/** Empty cells stay empty; Grafana would show the panel's text for no data in them. */
const quietCells = { matcher: { id: 'byRegexp', options: '.*' }, properties: [{ id: 'noValue', value: '' }] };

/** Rows and columns; see `columns.ts`. */
export function table(facts: TableFacts): PanelBuilder {
  const panel = framed(new Table(), { ...facts, overrides: [quietCells, ...(facts.overrides ?? [])] })
    .transformations([...facts.transformations])
    .cellHeight(TableCellHeight.Sm)
    .colorScheme(byThreshold());
  return facts.sortBy === undefined
    ? panel
    : panel.sortBy([new TableSortByFieldStateBuilder().displayName(facts.sortBy).desc(true)]);
}
