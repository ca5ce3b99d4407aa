import { type ItemType, itemTypes } from '../../../src/model/event.js';
import { thresholds } from '../thresholds.js';

/** A condition on log records. Attributes have their OpenTelemetry names, and are `''` where a record has none. */
export type Condition =
  | Readonly<{ attribute: string; is: string }>
  | Readonly<{ attribute: string; isNot: string }>
  | Readonly<{ attribute: string; isOneOf: readonly string[] }>
  /** Is one of the values chosen in a variable of the dashboard. */
  | Readonly<{ attribute: string; isChosenIn: string }>
  /** One of the attributes contains the text typed into a variable of the dashboard, in any case. */
  | Readonly<{ anyOf: readonly string[]; containsTextOf: string }>
  | 'outside office hours';

/**
 * `part` of an attribute is not the one that the organization has, nor trusted, in any case. Records whose attribute has no
 * such part do not meet it. Patterns are RE2 for the whole text and have one group, the part.
 */
export type Outsider = Readonly<{
  attribute: string;
  part: string;
  ofOrganization: string;
  /** Parts, or whole values of the attribute, in lower case. */
  trusted: readonly string[];
  /**
   * The same for Sigma, which cannot compare parts: a text that only values with a part contain (undefined: all have one), and
   * the patterns of values that have the part `%`, and that of outsiders whatever they end in.
   */
  sigma: Readonly<{ contains?: string; with: readonly string[]; never?: string }>;
}>;

/** An attribute to group by; `as` gives it a name, `lowerCaseAs` its lower case. */
export type Group = Readonly<{ attribute: string; lowerCaseAs?: string; as?: string }>;

/** All records that meet every condition. */
type Records = Readonly<{ records: readonly Condition[] }>;

/**
 * What a panel asks of a log store, in the terms that LogQL and LogsQL share. `logql.ts` and `logsql.ts` write it down; the
 * tests run both on the same records.
 */
export type LogQuery =
  | (Records & Readonly<{ show: 'newest'; limit: number }>)
  | (Records & Readonly<{ show: 'count' }>)
  | (Records & Readonly<{ show: 'distinct'; by: Group }>)
  | (Records & Readonly<{ show: 'sum' | 'max' | 'median'; of: string }>)
  /** The ten groups with the most records, highest first. */
  | (Records & Readonly<{ show: 'top'; by: Group }>)
  /** Records per bar of a graph. */
  | (Records & Readonly<{ show: 'per bar'; by: Group }>);

/**
 * Groups of the records of a window, for a rule that alerts on each of them: those with more records, or with more values
 * of an attribute, than a limit; or those that had no record in the time of `memory` before the window.
 */
export type LogAlertQuery = Records &
  Readonly<{ outsider?: Outsider; by: readonly Group[]; window: string }> &
  (
    | Readonly<{ when: 'more records than'; limit: number }>
    | Readonly<{ when: 'more values than'; of: Group; limit: number }>
    | Readonly<{ when: 'none before'; memory: string }>
  );

const ofServer: Condition = { attribute: 'service.instance.id', isChosenIn: 'server' };
const inOrganization: Condition = { attribute: 'veeam.organization.name', isChosenIn: 'organization' };

/** Records of events and sessions. */
export const allRecords: readonly Condition[] = [ofServer, inOrganization];

/** Records of events of every server, one per item, without lines about the session itself. */
export const everyItem: readonly Condition[] = [
  { attribute: 'veeam.event.kind', is: 'veeam.restore.item' },
  { attribute: 'veeam.restore.event.type', isNot: 'None' },
];

/** Records of events, one per item, without lines about the session itself. */
export const itemRecords: readonly Condition[] = [...allRecords, ...everyItem];

/** Records of stopped sessions. */
export const sessionRecords: readonly Condition[] = [
  ...allRecords,
  { attribute: 'veeam.event.kind', is: 'veeam.restore.session' },
];

const failed: Condition = { attribute: 'severity_text', is: 'ERROR' };
const notFailed: Condition = { attribute: 'severity_text', isNot: 'ERROR' };

const eventType = 'veeam.restore.event.type';

/**
 * Failures that count: of items of these types, of sessions, and lines about a session that failed. The chart adds the conditions
 * on the type after the first one, which is written differently from `failed` for that.
 */
export function countedFailures(types: readonly ItemType[]): readonly Condition[] {
  const isFailed: Condition = { attribute: 'severity_text', isOneOf: ['ERROR'] };
  const uncounted = itemTypes.filter(type => !types.includes(type));
  if (uncounted.includes('other')) return [isFailed, { attribute: eventType, isOneOf: ['', 'None', ...types] }];
  return [isFailed, ...uncounted.map(type => ({ attribute: eventType, isNot: type }))];
}

/** Failures that count, as in alerts. */
export const countedFailure = countedFailures(thresholds.restoreEventFailed.eventTypes);

/** Records of failed items and sessions. */
export const failedRecords: readonly Condition[] = [...allRecords, ...countedFailure];

/** Two lists for what one holds: the failed records, and the others. A limit on each hides no failure behind others. */
export const failedFirst = (records: readonly Condition[]): readonly (readonly Condition[])[] => [
  [...records, failed],
  [...records, notFailed],
];

/** Filters of the session explorer; each is empty by default. */
export const picked: readonly Condition[] = [
  { anyOf: ['veeam.restore.session.id'], containsTextOf: 'session' },
  { anyOf: ['veeam.restore.session.initiator'], containsTextOf: 'initiator' },
];

/** Items whose name, source, target or owner contains the text. */
export const found: Condition = {
  anyOf: [
    'veeam.restore.item.name',
    'veeam.restore.source',
    'veeam.restore.target',
    'veeam.restore.owner.name',
    'veeam.restore.owner.email',
    'veeam.restore.owner.id',
  ],
  containsTextOf: 'search',
};

/** Windows account names are case-insensitive. */
export const initiator: Group = { attribute: 'veeam.restore.session.initiator', lowerCaseAs: 'initiator' };

export const takenOut: Condition = { attribute: 'veeam.restore.event.type', isOneOf: ['Save', 'Export', 'Send'] };

export const withReason: Condition = { attribute: 'veeam.restore.session.reason', isNot: '' };
