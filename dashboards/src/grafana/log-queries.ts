/**
 * Parts of LogQL. Attributes are structured metadata in Loki, their dots are underscores; a record without an attribute
 * has `''` there. The server is a label of the stream by Loki's own defaults; a filter finds it as metadata, too.
 */
const stream = '{service_name="vb365-exporter"} | service_instance_id=~"$server"';
const inOrganization = 'veeam_organization_name=~"$organization"';

/** Records of events, one per item; without the lines that are about the session itself. */
export const itemRecords = `${stream} | veeam_event_kind="veeam.restore.item" | veeam_restore_event_type!="None" | ${inOrganization}`;

/** Records of sessions that have stopped. */
export const sessionRecords = `${stream} | veeam_event_kind="veeam.restore.session" | ${inOrganization}`;

/** Everything that went wrong: items and sessions. */
export const failedRecords = `${stream} | severity_number >= 17 | ${inOrganization}`;

/** What the text boxes and lists of the session explorer narrow down; each is empty at first. */
export const picked = 'veeam_restore_session_id=~"$session.*" | veeam_restore_session_initiator=~"(?i).*$initiator.*"';

/** Items whose name or place has the text in it. */
export const found =
  'veeam_restore_item_name=~"(?i).*$search.*" or veeam_restore_source=~"(?i).*$search.*" or veeam_restore_target=~"(?i).*$search.*"';

/** Accounts of Windows are the same in any letter case: `initiator` is the one in lower case. */
export const initiatorOf = 'label_format initiator=`{{ ToLower .veeam_restore_session_initiator }}`';

export const takenOut = 'veeam_restore_event_type=~"Save|Export|Send"';

/** Records per group within the bar of a graph, or, asked once, within the time range. */
export const countOf = (query: string, by = ''): string =>
  `sum${by === '' ? '' : ` by (${by})`} (count_over_time(${query} [$__auto]))`;

/** The ten groups with the most records, highest first. */
export const topOf = (query: string, by: string): string => `sort_desc(topk(10, ${countOf(query, by)}))`;
