import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type {
  DashboardLink,
  DataSourceRef,
  FieldColor,
  MatcherConfig,
  Panel,
  ThresholdsConfig,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  DashboardLinkBuilder,
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Step } from './colours.js';
import type { Query } from './queries.js';
import { chosen, type SourceType } from './variables.js';

export type PanelBuilder = Builder<Panel>;

/** Properties that all panels share. */
export type Facts = Readonly<{
  title: string;
  /** Shown behind the "i" of the panel. */
  description: string;
  /** In columns; a line has 24. */
  width: number;
  /** In grid rows of about 38 pixels. */
  height: number;
  unit: string;
  decimals?: number;
  /** Text for no data. */
  empty: string;
  queries: readonly Query[];
  /** Defaults to Prometheus. */
  source?: SourceType;
  overrides?: readonly Readonly<{ matcher: MatcherConfig; properties: DynamicConfigValue[] }>[];
  steps?: readonly Step[];
  mappings?: readonly ValueMapping[];
  /** Links of a value. */
  links?: readonly Readonly<{ title: string; url: string }>[];
}>;

/** The methods that the SDK's panel builders share. */
interface Frame {
  title(title: string): unknown;
  description(description: string): unknown;
  span(columns: number): unknown;
  height(rows: number): unknown;
  unit(unit: string): unknown;
  decimals(decimals: number): unknown;
  noValue(text: string): unknown;
  datasource(source: DataSourceRef): unknown;
  targets(queries: Query[]): unknown;
  withOverride(override: { matcher: MatcherConfig; properties: DynamicConfigValue[] }): unknown;
  thresholds(steps: Builder<ThresholdsConfig>): unknown;
  mappings(mappings: ValueMapping[]): unknown;
  dataLinks(links: Builder<DashboardLink>[]): unknown;
  colorScheme(color: Builder<FieldColor>): unknown;
}

/** Sets the shared properties of a panel. */
export function framed<B extends Frame>(panel: B, facts: Facts): B {
  const { source = 'prometheus', overrides = [], steps, mappings, links, decimals } = facts;
  panel.title(facts.title);
  panel.description(facts.description);
  panel.span(facts.width);
  panel.height(facts.height);
  panel.unit(facts.unit);
  panel.noValue(facts.empty);
  panel.datasource(chosen(source));
  panel.targets([...facts.queries]);
  if (decimals !== undefined) panel.decimals(decimals);
  for (const override of overrides) panel.withOverride(override);
  if (steps !== undefined) panel.thresholds(thresholdsOf(steps));
  if (mappings !== undefined) panel.mappings([...mappings]);
  if (links !== undefined) panel.dataLinks(links.map(({ title, url }) => new DashboardLinkBuilder(title).url(url)));
  return panel;
}

/** Colours by threshold. */
export const byThreshold = (): Builder<FieldColor> => new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
export const always = (colour: string): Builder<FieldColor> =>
  new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(colour);

const thresholdsOf = (steps: readonly Step[]): Builder<ThresholdsConfig> =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })));
