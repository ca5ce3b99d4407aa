import { type Attribute, maxTextLength } from '../../src/otlp/attribute.js';
import { recordAttributes, recordKinds } from '../../src/otlp/attributes.js';
import { itemSpanNames, rootSpanName } from '../../src/otlp/restore-span.js';

const intro = `# Log records and spans

Generated from the attribute tables in \`src/otlp\`; do not edit.

## Log records

The exporter sends one record for each final event of a restore session (event name \`${recordKinds.item}\`) and one for each
session that has stopped (\`${recordKinds.session}\`).

- **Timestamp**: the end of the event or session, exact to 100 ns; its start while the end is unknown. **Observed timestamp**:
  when the exporter sent the record. The records of a server are sent in order of time, batch by batch.
- **Severity**: \`ERROR\` (17) for failures, \`WARN\` (13) for warnings and cancelled items, \`INFO\` (9) for everything else. The
  status as the API names it is an attribute.
- **Body**: one short sentence. It includes the number of the event and the first digits of its id, because Loki drops a line that
  equals another line with the same timestamp.
- **Trace id** and **span id**: derived from the ids of session and event, whether traces are sent or not. They are those of the
  event's span.
- Delivery is at least once; use \`log.record.uid\` to drop duplicates.
- Texts are cut after ${String(maxTextLength)} characters. A record has no attributes other than those listed below.
- A \`double\` without a fraction is sent as an integer, because the OpenTelemetry SDK does not distinguish the two.

## Spans

With \`traces.enabled\`, each restore session is one trace. The root span \`${rootSpanName}\` covers the session from its creation to its
end and is sent when the session has stopped. Each event is a child span, sent when its status is final. Its name depends on the
type of the event: ${Object.values(itemSpanNames)
  .map(name => `\`${name}\``)
  .join(', ')}.

The kind of every span is \`INTERNAL\`. The status is \`Ok\` for Success, \`Error\` for Failed and unset otherwise. Spans have the
attributes of the records below except \`log.record.uid\` and \`veeam.event.*\`. A span that is sent again has the same ids.
A span that has the time of sending (\`traces.max_ahead\`) keeps the end of the event or session in \`veeam.event.time\`.

## Resource

\`service.name\` is \`vb365-exporter\`, \`service.instance.id\` the name of the server in the configuration, and \`server.address\` its
host. \`OTEL_RESOURCE_ATTRIBUTES\` and \`OTEL_SERVICE_NAME\` can add attributes and change the service name, but not which server it
is. The scope is \`vb365-exporter\`.

## Log stores

- **Loki**: \`otlp.endpoint\` ends with \`/otlp\`. Attributes are structured metadata with underscores for dots. Loki refuses records that
  are older than 7 days, more than 1 h behind the newest one of their server, or more than 10 minutes ahead: it answers 400 and keeps the
  others. Set \`logs.max_age\` and \`logs.max_behind\` below its limits; \`logs.max_ahead\` already is.
- **VictoriaLogs**: \`otlp.endpoint\` ends with \`/insert/opentelemetry\`; \`otlp.protocol\` must be \`http/protobuf\`. Attributes keep their names,
  and numbers may differ in the 17th digit. VictoriaLogs accepts and **silently drops** records that are older than its retention
  (\`-retentionPeriod\`, 7 days by default) or more than \`-futureRetention\` (2 days) ahead; only its own \`vl_rows_dropped_total\` counts them.
  Set \`logs.max_age\` below its retention; \`logs.max_ahead\` already is below \`-futureRetention\`. A crash of VictoriaLogs can lose what
  it accepted in the last 10 s: version 1.52.2 had lost records that it accepted 8 s before it was killed, and kept those of 12 s before.

## Whose data it is

VB365 8 names the owner of the data of each event with an id, which the exporter reports as \`veeam.restore.owner.id\`. It looks up name and
address at most once a day for each owner (\`resolve_owners\`); an owner that cannot be looked up in time has no name. Where an event has
several ids, the owner is the user, else the team, the site, the group, the organization.

\`veeam.restore.owner.relation\` compares the initiator with the addresses of the user, and with the URL of the user's OneDrive, which
is made of the user principal name. It is \`unknown\` for an initiator such as \`DOMAIN\\user\`, for an owner that is no user, and
for one whose address is not known. For a shared or public mailbox it is \`self\` or \`unknown\`: the API does not say whose it is.
A user whose address and user principal name differ, and who has no OneDrive, is \`other\` to their own data.
Relation and name are those that were known when the event was read: a sink that reads it later may know more.

VB365 2 to 7 send no ids. There the owner is what the path of the item says (\`/personal/alice/...\`, \`/sites/finance/...\`, or a
mailbox in front of a backslash), else the scope of the session, with \`veeam.restore.owner.derived\`. The relation is \`self\` if that is
the address of the initiator, or their OneDrive, else \`unknown\`: a path may name a person in another way.

Everything that somebody did with data that is not their own:

\`\`\`
{service_name="vb365-exporter"} | veeam_restore_owner_relation="other"        # Loki
{service.name="vb365-exporter"} "veeam.restore.owner.relation":=other         # VictoriaLogs
\`\`\`

[DETECTIONS](DETECTIONS.md) has a rule for the first time that somebody does so.

## Personal data

\`logs.personal_data\` and \`traces.personal_data\` decide for each class of personal data whether to \`keep\`, \`hash\` or \`drop\` it. If an
attribute may hold several classes, the strictest choice applies: a path ends with the name of an item, and free text may name
anything. The body follows the same rules. Accounts (\`user@domain\`, \`DOMAIN\\user\`) are hashed in lower case, so that an
account has the same hash as initiator, owner, scope and target. The id and the name of that person are other texts, with a hash each,
and a path has one hash as a whole. The organization does not count as personal data: it is a label of metrics.
`;

/** The text of docs/LOGS.md: every attribute with its meaning and the personal data it may hold. */
export function logsMarkdown(): string {
  return [
    intro,
    `## Attributes of \`${recordKinds.item}\`\n`,
    table(recordAttributes.item),
    `## Attributes of \`${recordKinds.session}\`\n`,
    table(recordAttributes.session),
  ].join('\n');
}

type Row = Omit<Attribute<never>, 'of'>;

const table = (rows: readonly Row[]): string => rows.map(line).join('');

const typeOf = (example: string | number | boolean): string =>
  typeof example !== 'number' ? typeof example : Number.isInteger(example) ? 'int' : 'double';

const line = ({ name, help, example, holds = [] }: Row): string =>
  `- \`${name}\` (${typeOf(example)}): ${help}, such as \`${String(example)}\`. ${holds.length === 0 ? '' : `**May hold: ${holds.join(', ')}.**`}`.trimEnd() +
  '\n';
