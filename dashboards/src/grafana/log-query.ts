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

/** An attribute to group by; `lowerCaseAs` gives its lower case a name. */
export type Group = Readonly<{ attribute: string; lowerCaseAs?: string }>;

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

const ofServer: Condition = { attribute: 'service.instance.id', isChosenIn: 'server' };
const inOrganization: Condition = { attribute: 'veeam.organization.name', isChosenIn: 'organization' };

/** Records of events and sessions. */
export const allRecords: readonly Condition[] = [ofServer, inOrganization];

/** Records of events, one per item, without lines about the session itself. */
export const itemRecords: readonly Condition[] = [
  ...allRecords,
  { attribute: 'veeam.event.kind', is: 'veeam.restore.item' },
  { attribute: 'veeam.restore.event.type', isNot: 'None' },
];

/** Records of stopped sessions. */
export const sessionRecords: readonly Condition[] = [
  ...allRecords,
  { attribute: 'veeam.event.kind', is: 'veeam.restore.session' },
];

/** Records of failed items and sessions. */
export const failedRecords: readonly Condition[] = [...allRecords, { attribute: 'severity_text', is: 'ERROR' }];

/** Filters of the session explorer; each is empty by default. */
export const picked: readonly Condition[] = [
  { anyOf: ['veeam.restore.session.id'], containsTextOf: 'session' },
  { anyOf: ['veeam.restore.session.initiator'], containsTextOf: 'initiator' },
];

/** Items whose name, source or target contains the text. */
export const found: Condition = {
  anyOf: ['veeam.restore.item.name', 'veeam.restore.source', 'veeam.restore.target'],
  containsTextOf: 'search',
};

/** Windows account names are case-insensitive. */
export const initiator: Group = { attribute: 'veeam.restore.session.initiator', lowerCaseAs: 'initiator' };

export const takenOut: Condition = { attribute: 'veeam.restore.event.type', isOneOf: ['Save', 'Export', 'Send'] };

export const withReason: Condition = { attribute: 'veeam.restore.session.reason', isNot: '' };
