import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard';

/** Columns of a table, in order: field name and heading. All other fields are hidden. */
export type Columns = Readonly<Record<string, string>>;

/** Joins instant queries into one table with a row per group. The value of query A is the field `Value #A`. */
export const joined = (columns: Columns): readonly DataTransformerConfig[] => [
  { id: 'merge', options: {} },
  ...chosenFrom(columns),
];

/** Turns log records into a table: `Time` and a field per attribute. The rows of the first query come first. */
export const ofRecords = (columns: Columns, ...numbers: readonly string[]): readonly DataTransformerConfig[] => [
  {
    id: 'extractFields',
    options: { source: 'labels', format: 'json', replace: true, keepTime: true },
  },
  { id: 'merge', options: {} },
  {
    id: 'convertFieldType',
    options: {
      fields: {},
      conversions: numbers.map(targetField => ({ targetField, destinationType: 'number' })),
    },
  },
  ...chosenFrom(columns),
];

const chosenFrom = (columns: Columns): readonly DataTransformerConfig[] => [
  { id: 'filterFieldsByName', options: { include: { names: Object.keys(columns) } } },
  {
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(Object.keys(columns).map((name, index) => [name, index])),
      renameByName: columns,
    },
  },
];
