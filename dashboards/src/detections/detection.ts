import type { AttackName } from '../../../src/simulator/attack-names.js';
import type { LogAlertQuery } from '../grafana/log-query.js';
import type { Alert, AlertTexts } from '../rule.js';

/** What a detection of misuse says beyond what an alert says. */
export type Misuse = Readonly<{
  /** In a few words: what is detected. */
  detects: string;
  /** Techniques of MITRE ATT&CK. */
  attack: readonly string[];
  /** What fires it and is no misuse. */
  falsePositives: string;
  /** The simulated attack that it is tried with. */
  triedWith: AttackName;
}>;

/** A detection by metrics. */
export type MetricDetection = Alert & Misuse;

/** A detection by log records. */
export type LogDetection = AlertTexts & Misuse & Readonly<{ severity: Alert['severity']; query: LogAlertQuery }>;
