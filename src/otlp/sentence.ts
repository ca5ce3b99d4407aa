import type { EventStatus, RestoreEvent } from '../model/event.js';
import type { Session, SessionResult } from '../model/session.js';
import type { PersonalClass } from '../model/personal-data.js';
import { freeText, maxTextLength } from './attribute.js';
import type { Redact } from './redaction.js';

const itemEnd: Readonly<Record<EventStatus, string>> = {
  Running: 'is running',
  Success: 'succeeded',
  Warning: 'ended with a warning',
  Failed: 'failed',
  Cancelled: 'was cancelled',
  Skipped: 'was skipped',
};

const sessionEnd: Readonly<Record<SessionResult, string>> = {
  Success: 'succeeded',
  Warning: 'ended with warnings',
  Failed: 'failed',
};

const ofItem: readonly PersonalClass[] = ['item'];

/** An unknown word of the API may be long: it must not push the id out of the text limit. */
const word = (raw: string): string => raw.slice(0, 64);

/** Half of the text limit, so that the rest of the sentence fits. */
const quoted = (name: string): string => `"${name.slice(0, maxTextLength / 2)}"`;

/**
 * What happened, in one sentence. It holds order and id, because Loki drops a line that equals another one of the same
 * stream and time even if their attributes differ (grafana/loki#15425).
 */
export function itemSentence({ type, status, title, item, order, id }: RestoreEvent, redact: Redact): string {
  const token = `(#${String(order)}, ${short(id)})`;
  const heading = type.label === 'None' ? redact(title, freeText) : undefined;
  if (heading !== undefined) return `${heading.slice(0, maxTextLength / 2)} ${token}`;
  const name = redact(item.name, ofItem);
  const done = type.label === 'None' ? 'Session event' : word(type.raw);
  const what = name === undefined ? done : `${done} of ${quoted(name)}`;
  return `${what} ${status.label === 'other' ? `ended as ${word(status.raw)}` : itemEnd[status.label]} ${token}`;
}

/** How a session ended, in one sentence. */
export function sessionSentence({ name, organization, result, id }: Session, redact: Redact): string {
  const shown = redact(name, freeText);
  const what = [
    shown === undefined ? 'Restore session' : `Restore session ${quoted(shown)}`,
    organization.slice(0, maxTextLength / 4),
  ];
  const how = result.label === 'other' ? `ended as ${word(result.raw)}` : sessionEnd[result.label];
  return `${what.filter(text => text !== '').join(' of ')} ${how} (${short(id)})`;
}

const short = (id: string): string => id.slice(0, 8);
