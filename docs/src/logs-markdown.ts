import { type Attribute, maxTextLength } from '../../src/otlp/attribute.js';
import { itemSpanNames, rootSpanName } from '../../src/otlp/restore-span.js';
import { itemRecordAttributes, recordKinds, sessionRecordAttributes } from '../../src/otlp/record-attributes.js';

const intro = `# Log records and spans

Generated from the attribute tables in \`src/telemetry\`; do not edit.

## Log records

One record for each final event of a restore session (event name \`${recordKinds.item}\`), and one for each session that has
stopped (\`${recordKinds.session}\`).

- **Time** is the end of the event or session, to 100 ns; its start while the end is not known. **Observed time** is when the
  exporter sent it. Records of a server leave in order of time, batch by batch.
- **Severity** is \`INFO\` (9), \`WARN\` (13) for warnings and what was cancelled, \`ERROR\` (17) for failures. The word of the API is
  an attribute.
- **Body** is one short sentence. It holds the number and the beginning of the id of the event, because Loki drops a line
  that equals another of the same time.
- **Trace id** is the id of the session, **span id** is made of the id of the event: those of its span, whether traces are
  sent or not.
- A record may come twice, never not at all. \`log.record.uid\` is the same then.
- A text is cut after ${String(maxTextLength)} characters. There are never more attributes than the lists below have lines.
- A \`double\` that is a whole number is sent as an integer: the encoder of the OpenTelemetry SDK knows no difference.

## Spans

With \`traces.enabled\`, each restore session is one trace. Its root span \`${rootSpanName}\` reaches from creation to end and is
sent when the session has stopped; each event is a child of it, sent when its status is final, and called by its type:
${Object.values(itemSpanNames)
  .map(name => `\`${name}\``)
  .join(
    ', ',
  )}. All are of kind \`INTERNAL\`. The status is \`Ok\` for Success, \`Error\` for Failed, else unset. Attributes are those of the
records below, but for \`log.record.uid\` and \`veeam.event.*\`. A span that comes twice has the same ids.

## Resource

\`service.name\` is \`vb365-exporter\`, \`service.instance.id\` the name of the server in the configuration and \`server.address\` its host.
\`OTEL_RESOURCE_ATTRIBUTES\` and \`OTEL_SERVICE_NAME\` add to it, but never change which server it is. The scope is \`vb365-exporter\`.

## Personal data

What an attribute may hold is what \`logs.personal_data\` and \`traces.personal_data\` decide about: \`keep\`, \`hash\` or \`drop\`. Where there are
several, the strictest choice counts: a path ends with the name of an item, and free text may name anything. The
sentence in the body obeys as well. The organization is no personal data here: it is a label of metrics.
`;

/** The text of docs/LOGS.md: every attribute, what it means and what personal data may be in it. */
export function logsMarkdown(): string {
  return [
    intro,
    `## Attributes of \`${recordKinds.item}\`\n`,
    table(itemRecordAttributes),
    `## Attributes of \`${recordKinds.session}\`\n`,
    table(sessionRecordAttributes),
  ].join('\n');
}

type Row = Omit<Attribute<never>, 'of'>;

const table = (rows: readonly Row[]): string => rows.map(line).join('');

const line = ({ name, type, help, example, holds = [] }: Row): string =>
  `- \`${name}\` (${type}): ${help}, such as \`${String(example)}\`. ${holds.length === 0 ? '' : `**May hold: ${holds.join(', ')}.**`}`.trimEnd() +
  '\n';
