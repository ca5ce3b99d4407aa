import {
  applyFieldOverrides,
  FieldConfigOptionsRegistry,
  FieldType,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

const unique = [...new Map(Object.values(standardTransformers).map(one => [one.id, one])).values()];
standardTransformersRegistry.setInit(() =>
  unique.map(one => ({ id: one.id, name: one.name, transformation: one, editor: () => null, description: '' })),
);

const common = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'color', 'links'];
const custom = [
  'align',
  'axisPlacement',
  'axisSoftMax',
  'barAlignment',
  'barMaxWidth',
  'barWidthFactor',
  'cellOptions',
  'drawStyle',
  'fillOpacity',
  'gradientMode',
  'hidden',
  'hideFrom',
  'lineInterpolation',
  'lineStyle',
  'lineWidth',
  'minWidth',
  'pointSize',
  'scaleDistribution',
  'showPoints',
  'spanNulls',
  'stacking',
  'width',
];
const option = (id, path, isCustom) => ({
  id,
  path,
  name: id,
  isCustom,
  process: value => value,
  shouldApply: () => true,
  override: () => null,
  editor: () => null,
  getItemsCount: () => 0,
});
const registry = new FieldConfigOptionsRegistry(() => [
  ...common.map(id => option(id, id, false)),
  ...custom.map(id => option(`custom.${id}`, id, true)),
]);

/** Frames as a panel draws them: transformed, with units, colours and overrides. */
export async function prepared(panel, frames, theme) {
  const steps = (panel.transformations ?? []).filter(({ id }) => id !== 'extractFields');
  const transformed = steps.length === 0 ? frames : await lastValueFrom(transformDataFrame(steps, frames));
  const fieldConfig = structuredClone(panel.fieldConfig ?? { defaults: {}, overrides: [] });
  fieldConfig.defaults.color ??= { mode: panel.type === 'timeseries' ? 'palette-classic' : 'thresholds' };
  fieldConfig.defaults.custom ??= {};
  const endless = steps_ => steps_?.forEach(step => (step.value ??= -Infinity));
  endless(fieldConfig.defaults.thresholds?.steps);
  for (const { properties } of fieldConfig.overrides)
    for (const { id, value } of properties) if (id === 'thresholds') endless(value.steps);
  const made = applyFieldOverrides({
    data: transformed,
    fieldConfig,
    replaceVariables: text => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry: registry,
  });
  for (const { fields } of made)
    for (const field of fields)
      if (field.type === FieldType.number && panel.type === 'timeseries')
        field.values = field.values.map(value => (Number.isFinite(value) ? value : null));
  for (const { fields } of made)
    for (const field of fields)
      if (field.config.links?.length > 0)
        field.getLinks = () => field.config.links.map(({ title }) => ({ title, href: '#' }));
  return made;
}
