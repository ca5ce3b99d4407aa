import { resourceFromAttributes } from '@opentelemetry/resources';
import { createHmac } from 'node:crypto';
import { Audit, type AuditFindings, ExpectedRecords } from '../../src/history/audit.js';
import { type HistoryPart, readHistory } from '../../src/history/reader.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { PersonalData, Treatment } from '../../src/model/personal-data.js';
import { milliseconds, type Nanos } from '../../src/model/time.js';
import { itemRecord, type Origin, originOf, sessionRecord } from '../../src/otlp/log-record.js';
import type { TimeLimits } from '../../src/otlp/logs-sink.js';
import { redacting } from '../../src/otlp/redaction.js';
import { simulate } from '../../src/simulator/simulate.js';
import { simulatedPast } from './past-source.js';
import { type Kept, kept } from './stored-logs.js';

export const allOf = (treatment: Treatment): PersonalData => ({
  person: treatment,
  item: treatment,
  path: treatment,
  client: treatment,
});

export const hash = (text: string): string => createHmac('sha256', 'key').update(text).digest('hex');

export const originWith = (choice: PersonalData): Origin =>
  originOf({ resource: resourceFromAttributes({}), scope: { name: 'test' }, redact: redacting(choice, hash) });

/** Events and results of the sessions. */
export const total = 72;

export let parts: readonly HistoryPart[] = [];
export let window: Readonly<{ from: Nanos; to: Nanos }> = { from: 0n, to: 0n };

/** Reads the history that all of these audits compare with. To be called before all tests. */
export async function readHistoryOnce(): Promise<void> {
  const simulator = await simulate({ clock: systemClock, history: { sessions: 6, eventsEach: 11, days: 20 } });
  const source = simulatedPast(simulator.url, { resolveOwners: true });
  window = { from: 0n, to: milliseconds(systemClock.now()) };
  const found: HistoryPart[] = [];
  const options = { window, signal: new AbortController().signal };
  for await (const part of readHistory(source, options)) found.push(part);
  parts = found;
  await source.close();
  await simulator.close();
}

/** What the exporter would have sent. */
export const sentWith = (origin: Origin, history = parts): readonly Kept[] =>
  history.flatMap(({ session, events, end }) => [
    ...events.map(taken => kept(itemRecord(taken, origin, { observedAt: 0n }))),
    ...(end?.stopped === true ? [kept(sessionRecord(session, origin, { observedAt: 0n }))] : []),
  ]);

export const unlimited: TimeLimits = { maxAge: undefined, maxBehind: undefined, maxAhead: undefined };

export function expectedOf(origin: Origin, history: readonly HistoryPart[]): ExpectedRecords {
  const expected = new ExpectedRecords();
  expected.begin('hq', window, origin);
  for (const part of history) {
    expected.listed('hq', part.session.createdAt);
    expected.expect('hq', part, origin);
  }
  return expected;
}

export function audited(
  lines: Iterable<string>,
  origin: Origin,
  limits = unlimited,
  history: readonly HistoryPart[] = parts,
): AuditFindings {
  const audit = new Audit(expectedOf(origin, history), limits);
  for (const line of lines) audit.check(line);
  return audit.findings();
}

export const uidOf = ({ attributes }: Kept): string => String(attributes['log.record.uid']);
export const altering = (record: Kept, attributes: Kept['attributes']): Kept => ({
  ...record,
  attributes: { ...record.attributes, ...attributes },
});

export const keep = originWith(allOf('keep'));

export const alteredOf = ({ altered }: AuditFindings): readonly (readonly string[])[] =>
  altered.map(({ event, attributes }) => [event, attributes.join()]);
