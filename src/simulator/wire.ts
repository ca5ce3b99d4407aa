import type { SimulatedVersion, Quirks } from './quirks.js';
import { writeInstant, writeTimeSpan } from './quantities.js';
import { durationOf, type SimEvent, type SimSession } from './world.js';

/** A JSON object as it goes out; its properties stand in the order of real answers. */
export type Json = Readonly<Record<string, unknown>>;

/** In which shape to write. */
export type Dialect = Readonly<{ version: SimulatedVersion; quirks: Quirks }>;

/**
 * A restore session as `GET /vN/RestoreSessions` shows it. `worst` is what its events have come to so far.
 * Source: vb365-rest.md 5.2 (RESTRestoreSession, OpenAPI of v6 to v8; vendor's examples for v2 to v5).
 */
export function writeSession(session: SimSession, worst: () => string, dialect: Dialect): Json {
  const { version, quirks } = dialect;
  const { id } = session;
  return withAbsent(quirks, {
    id,
    name: session.name,
    organization: session.organization,
    type: word(session.type, quirks),
    creationTime: writeInstant(session.createdAt, version, quirks),
    endTime: session.endedAt === undefined ? undefined : writeInstant(session.endedAt, version, quirks),
    state: word(session.state, quirks),
    ...resultOf(session, worst, dialect),
    initiatedBy: text(session.initiatedBy, quirks),
    details: text(session.details, quirks),
    ...(version >= 6 && {
      scopeName: text(session.scopeName, quirks),
      clientHost: text(session.clientHost, quirks),
      reason: text(session.reason, quirks),
    }),
    ...(version === 8 && { eTag: quirks.silentEvents ? session.revision : session.eventRevision }),
    _links: links(dialect, {
      self: `restoresessions/${id}`,
      organization: `restoresessions/${id}/organization`,
      restoreSessionEvents: `restoresessions/${id}/events`,
    }),
  });
}

function resultOf(session: SimSession, worst: () => string, { version, quirks }: Dialect): Json {
  if (session.state === 'Stopped') return { result: word(session.result, quirks) };
  if (quirks.workingResult === 'omit' && version <= 5) return {};
  return { result: word(quirks.workingResult === 'worst' ? worst() : session.result, quirks) };
}

/**
 * A restore-session event as `GET /vN/RestoreSessions/{id}/Events` shows it.
 * Source: vb365-rest.md 6.2 (RESTRestoreSessionEvent, OpenAPI of v6 to v8; vendor's examples for v2 to v5).
 */
export function writeEvent(event: SimEvent, sessionId: string, dialect: Dialect): Json {
  const { version, quirks } = dialect;
  const duration = durationOf(event);
  return withAbsent(quirks, {
    ...itemFields(event, dialect),
    id: event.id,
    type: word(event.type, quirks),
    status: word(event.status, quirks),
    startTime: writeInstant(event.startedAt, version, quirks),
    endTime: event.endedAt === undefined ? undefined : writeInstant(event.endedAt, version, quirks),
    duration: duration === undefined ? undefined : writeTimeSpan(duration),
    title: event.title,
    message: event.message,
    order: event.order,
    ...(version === 8 && touchedFields(event)),
    _links: links(dialect, {
      self: `restoresessions/${sessionId}/events/${event.id}`,
      restoreSession: `restoresessions/${sessionId}`,
    }),
  });
}

function itemFields(event: SimEvent, { version, quirks }: Dialect): Json {
  if (version === 2 || (version <= 5 && !quirks.itemFields)) return {};
  return {
    itemName: text(event.itemName, quirks),
    itemType: text(event.itemType, quirks),
    itemSizeBytes: event.itemSizeBytes,
    source: text(event.source, quirks),
    target: text(event.target, quirks),
  };
}

function touchedFields({ touched }: SimEvent): Json {
  const { organizationId, backedUpOrganizationId, userId, groupId, siteId, teamId } = touched;
  const all = { organizationId, backedUpOrganizationId, userId, groupId, siteId, teamId };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, value === '' ? undefined : value]));
}

/** HAL links: absolute on a host of the server's own choice up to v5, server-relative from v6. */
export function links({ version, quirks }: Dialect, paths: Readonly<Record<string, string>>): Json {
  const base = `${version <= 5 ? quirks.linkHost : ''}/v${String(version)}/`;
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, { href: base + path }]));
}

const word = (value: string, quirks: Quirks): string => (quirks.lowerCaseEnums ? value.toLowerCase() : value);

/** A text, or the way in which the server says that there is none. */
function text(value: string, { absent }: Quirks): string | undefined {
  return value === '' && absent !== 'empty' ? undefined : value;
}

/** Omits undefined members, or writes them as null. */
function withAbsent({ absent }: Quirks, fields: Json): Json {
  const entries = Object.entries(fields);
  if (absent === 'omit') return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return Object.fromEntries(entries.map(([key, value]) => [key, value === undefined ? null : value]));
}
