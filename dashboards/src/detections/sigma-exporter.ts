import { thresholds } from '../thresholds.js';
import type { MetricDetection } from './detection.js';
import { misuseAlerts } from './misuse-alerts.js';
import { idOf, levels, snakeCase, tagsOf } from './sigma-rule.js';

type Name = MetricDetection['name'];

const logsource = { product: 'vb365-exporter', service: 'exporter' };
const lines = (selection: object) => ({ selection, condition: 'selection' });

const failedPoll = (...reason: readonly string[]) =>
  lines({ msg: ['Poll failed, will retry', 'Change feed failed, will retry'], reason });

/** What the exporter logs when metrics show misuse: a failure is one line, however often it repeats. */
const logged: Readonly<Record<string, object>> = {
  VB365MisuseSessionsDeleted: lines({
    msg: ['Restore session was deleted on the server within a week', 'Restore sessions deleted on the server'],
  }),
  VB365MisuseFailedLogins: failedPoll('auth'),
};

const textsOf = ({ attack, falsePositives, severity }: MetricDetection) => ({
  status: 'experimental',
  author: 'vb365-exporter',
  tags: tagsOf(attack),
  falsepositives: [falsePositives],
  level: levels[severity],
});

function named(name: Name): MetricDetection {
  const found = misuseAlerts.find(alert => alert.name === name);
  if (found === undefined) throw new Error(`There is no detection "${name}"`);
  return found;
}

const ruleOf = (detection: MetricDetection, name: string, { of, says }: Readonly<{ of: object; says: string }>) => ({
  title: `VB365 ${says}`,
  id: idOf(name),
  name: snakeCase(name),
  description: 'A line of the log of the exporter.',
  ...textsOf(detection),
  logsource,
  detection: of,
});

/** A refused login and no connection, in any order: Splunk and Elastic convert no ordered correlation. */
function blinded(): readonly object[] {
  const detection = named('VB365MisuseExporterBlinded');
  const refused = ruleOf(detection, `${detection.name}Login`, { of: failedPoll('auth'), says: 'Login Refused' });
  const lost = ruleOf(detection, `${detection.name}Network`, {
    of: failedPoll('network', 'timeout'),
    says: 'Server Unreachable',
  });
  const { name, detects } = detection;
  const correlation = {
    type: 'temporal',
    rules: [refused.name, lost.name],
    'group-by': ['server'],
    timespan: thresholds.misuse.exporterBlinded.loginsWindow,
  };
  const single = { level: 'informational' };
  return [
    { ...refused, ...single },
    { ...lost, ...single },
    { title: `VB365 ${detects}`, id: idOf(name), name: snakeCase(name), ...textsOf(detection), correlation },
  ];
}

/** Rules for the log of the exporter, by detection. A mass view is seen in restore records. */
export const exporterRules = (): ReadonlyMap<Name, readonly object[]> =>
  new Map([
    ...misuseAlerts.flatMap(alert => {
      const of = logged[alert.name];
      return of === undefined ? [] : [[alert.name, [ruleOf(alert, alert.name, { of, says: alert.detects })]] as const];
    }),
    ['VB365MisuseExporterBlinded', blinded()] as const,
  ]);
