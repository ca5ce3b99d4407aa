import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';

/** One colour per value, the same in every panel. Event types that export data have warm colours. */
export const colours: Readonly<Record<string, string>> = {
  Success: 'green',
  Warning: 'yellow',
  Failed: 'red',
  Cancelled: 'orange',
  Skipped: '#8e8e8e',
  Running: 'blue',
  other: 'purple',
  View: 'super-light-blue',
  Restore: 'semi-dark-blue',
  Save: 'super-light-orange',
  Export: 'orange',
  Send: 'dark-orange',
  exchange: 'semi-dark-blue',
  onedrive: 'super-light-blue',
  sharepoint: 'semi-dark-purple',
  teams: 'light-purple',
  metrics: 'semi-dark-blue',
  logs: 'light-orange',
  traces: 'semi-dark-purple',
  complete: 'green',
  partial: 'yellow',
  failed: 'red',
  delivered: 'green',
  retried: 'yellow',
  rejected: 'red',
};

type Override = Readonly<{ matcher: { id: string; options?: unknown }; properties: DynamicConfigValue[] }>;

/** Overrides properties of the field with that name. */
export const forField = (name: string, properties: Readonly<Record<string, unknown>>): Override => ({
  matcher: { id: 'byName', options: name },
  properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
});

/** Gives each value its colour. */
export const inColours = (...words: readonly string[]): Override[] =>
  words.map(word => forField(word, { color: { mode: 'fixed', fixedColor: colours[word] } }));

export type Step = readonly [fromValue: number | null, colour: string];

/** Colours by value, ascending; the first step is from minus infinity. */
export const steps = (...list: readonly Step[]) => ({
  mode: 'absolute',
  steps: list.map(([value, color]) => ({ value, color })),
});
