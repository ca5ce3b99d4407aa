import { type Alert, annotationsOf } from './rule.js';

/** An expected firing: its labels without component, and without severity where it is that of the alert, and its value as the description shows it. */
export type Firing = Readonly<{ labels: Readonly<Record<string, string>>; value?: string }>;

/** An evaluation of the alert `minute` minutes after the start; without `fires` the alert must be silent. */
export type Look = Readonly<{ minute: number; fires?: Firing }>;

/** Input series in promtool's notation, one sample per minute or `interval`, and the expected state of an alert. */
export type Case = Readonly<{
  alert: Alert['name'];
  says: string;
  interval?: string;
  series: Readonly<Record<string, string>>;
  looks: readonly Look[];
}>;

/** Target labels that a scrape adds. */
export const scraped = { job: 'vb365', instance: 'exporter:10365' } as const;
/** The labels of an alert about a server: rules aggregate those of the replica away. */
export const aboutServer = { server: 'hq' } as const;
export const ofServer = { ...scraped, ...aboutServer } as const;

/** The text of a series: its name and labels. */
export function series(name: string, labels: Readonly<Record<string, string>>): string {
  const written = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${written.join(',')}}`;
}

export const silentAt = (...minutes: readonly number[]): readonly Look[] => minutes.map(minute => ({ minute }));

/** A case as promtool reads it. */
export function testOf({ says, interval = '1m', series: given, looks }: Case, alert: Alert) {
  return {
    name: `${alert.name}: ${says}`,
    interval,
    input_series: Object.entries(given).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: looks.map(({ minute, fires }) => ({
      eval_time: `${String(minute)}m`,
      alertname: alert.name,
      exp_alerts: fires === undefined ? [] : [expected(fires, alert)],
    })),
  };
}

const expected = (firing: Firing, alert: Alert) => ({
  exp_labels: { severity: alert.severity, component: alert.component, ...firing.labels },
  exp_annotations: Object.fromEntries(
    Object.entries(annotationsOf(alert)).map(([key, template]) => [key, rendered(template, firing)]),
  ),
});

/** The template as Prometheus renders it; the case supplies the formatted value. */
const rendered = (template: string, { labels, value = '' }: Firing): string =>
  template
    .replace(/\{\{ \$value[^}]*\}\}/g, () => value)
    .replace(/\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ end \}\}/g, (_, label: string, text: string) =>
      labels[label] === undefined ? '' : text.replace('{{ . }}', labels[label]),
    )
    .replace(/\{\{ \$labels\.(\w+)( \| urlquery)? \}\}/g, (_, label: string, query?: string) =>
      query === undefined ? (labels[label] ?? '') : encodeURIComponent(labels[label] ?? ''),
    );
