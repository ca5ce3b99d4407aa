/**
 * Parts of LogQL. In Loki, attributes are structured metadata with underscores for dots; a missing attribute is `''`. The
 * server is a stream label by Loki's defaults; the filter also matches it as metadata.
 */
const stream = '{service_name="vb365-exporter"} | service_instance_id=~"$server"';
const inOrganization = 'veeam_organization_name=~"$organization"';

/** Records of events, one per item, without lines about the session itself. */
export const itemRecords = `${stream} | veeam_event_kind="veeam.restore.item" | veeam_restore_event_type!="None" | ${inOrganization}`;

/** Records of stopped sessions. */
export const sessionRecords = `${stream} | veeam_event_kind="veeam.restore.session" | ${inOrganization}`;

const isFailed = 'severity_number >= 17';

/** Records of failed items and sessions. */
export const failedRecords = `${stream} | ${isFailed} | ${inOrganization}`;

/** Two queries for what one returns: the failed records, and the others. */
export const failedFirst = (query: string): readonly string[] => [
  `${query} | ${isFailed}`,
  `${query} | severity_number < 17`,
];

/** Filters of the session explorer; each is empty by default. */
export const picked = 'veeam_restore_session_id=~"$session.*" | veeam_restore_session_initiator=~"(?i).*$initiator.*"';

/** Items whose name, source or target contains the text. */
export const found =
  'veeam_restore_item_name=~"(?i).*$search.*" or veeam_restore_source=~"(?i).*$search.*" or veeam_restore_target=~"(?i).*$search.*"';

/** Windows account names are case-insensitive: `initiator` is the name in lower case. */
export const initiatorOf = 'label_format initiator=`{{ ToLower .veeam_restore_session_initiator }}`';

export const takenOut = 'veeam_restore_event_type=~"Save|Export|Send"';

/** Records per group: per bar of a graph, or within the time range for an instant query. */
export const countOf = (query: string, by = ''): string =>
  `sum${by === '' ? '' : ` by (${by})`} (count_over_time(${query} [$__auto]))`;

/** The ten groups with the most records, highest first. */
export const topOf = (query: string, by: string): string => `sort_desc(topk(10, ${countOf(query, by)}))`;
