import { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import { ChangeLog } from './change-log.js';
import { uuidOf } from './random.js';

/** A restore session as the server holds it. `''` stands for a text that it does not have. */
export type SimSession = Readonly<{
  id: string;
  name: string;
  organization: string;
  /** `Vex`, `Veod`, `Vesp`, `Vet`, or what a newer server may say. */
  type: string;
  createdAt: Nanos;
  endedAt: Nanos | undefined;
  state: 'Working' | 'Stopped';
  /** The worst of its events, unless the one who stopped it said otherwise. */
  result: string;
  initiatedBy: string;
  details: string;
  scopeName: string;
  clientHost: string;
  reason: string;
  /** Grows when the session itself changes. */
  revision: number;
  /** Grows with its events too. */
  eventRevision: number;
}>;

/** Whose backup an event touched (v8). `''`: not known, or not of that kind. */
export type Touched = Readonly<{
  organizationId: string;
  backedUpOrganizationId: string;
  userId: string;
  groupId: string;
  siteId: string;
  teamId: string;
}>;

/** Whose data is in the backups, as VB365 8 names them. `''` stands for a text that the server does not have. */
export type SimOwner = Readonly<{
  kind: 'user' | 'group' | 'site' | 'team' | 'organization';
  id: string;
  name: string;
  organizationId: string;
  /** Of a user. */
  accountType?: 'User' | 'SharedMailbox' | 'PublicMailbox';
  /** Of a user or group. */
  email?: string;
  /** Of a site, or of the OneDrive of a user. */
  url?: string;
}>;

/** A restore-session event as the server holds it. `''` stands for a text that it does not have. */
export type SimEvent = Readonly<{
  id: string;
  /** Identifies the event within its session, from 0. */
  order: number;
  type: string;
  status: string;
  startedAt: Nanos;
  endedAt: Nanos | undefined;
  title: string;
  message: string;
  itemName: string;
  itemType: string;
  itemSizeBytes: number;
  source: string;
  target: string;
  touched: Touched;
}>;

/** The events of a session, ascending by `order`; an array, or something that makes them up when they are asked for. */
export type Events = Pick<readonly SimEvent[], 'length' | 'slice'>;

/** Properties of a new session; the others have defaults: a working Exchange session of `example.onmicrosoft.com`. */
export type SessionDraft = Partial<Omit<SimSession, 'revision' | 'eventRevision'>> & Pick<SimSession, 'createdAt'>;

/** Properties of a new event; the others have defaults: a successful event of no type that took no time. */
export type EventDraft = Partial<SimEvent> & Pick<SimEvent, 'startedAt'>;

/** One line of the book: an event, the session it belongs to, and how long it took (undefined while it has no end). */
export type Entry = Readonly<{ session: SimSession; event: SimEvent; duration: Nanos | undefined }>;

export const nobody: Touched = {
  organizationId: '',
  backedUpOrganizationId: '',
  userId: '',
  groupId: '',
  siteId: '',
  teamId: '',
};

/** `own`: the events as an array of the world's own, once one of them was added or changed. */
type StoredSession = { session: SimSession; events: Events; own?: SimEvent[] };

/**
 * The truth behind the simulated server: its sessions and events. Nothing happens in it by itself; what a client
 * has found out can be compared with it, exactly.
 */
export class World {
  readonly #seed: number;
  readonly #byId = new Map<string, StoredSession>();
  /** Newest first; of two that began together the one added later is first. */
  readonly #newestFirst: StoredSession[] = [];
  readonly #owners: SimOwner[] = [];
  /** What has changed, in order. */
  readonly changes = new ChangeLog();
  #revision = 0;
  #ids = 0;

  /** `seed` decides the ids of sessions and events that are added without one. */
  constructor(seed = 1) {
    this.#seed = seed;
  }

  /** Adds a session, with the events it has already. The id must be a new one. */
  addSession(draft: SessionDraft, events: Events = []): SimSession {
    const revision = this.#nextRevision();
    const session: SimSession = {
      id: draft.id ?? this.#nextId(),
      name: 'Exchange restore (Entire organization - 8/27/2020 6:01:21 PM)',
      organization: 'example.onmicrosoft.com',
      type: 'Vex',
      endedAt: undefined,
      state: draft.endedAt === undefined ? 'Working' : 'Stopped',
      result: 'Success',
      initiatedBy: 'EXAMPLE\\operator',
      details: '',
      scopeName: '',
      clientHost: '',
      reason: '',
      ...draft,
      revision,
      eventRevision: revision,
    };
    if (this.#byId.has(session.id)) throw new ExporterError('bug', 'Could not add the session: it exists already');
    this.#insert({ session, events });
    this.changes.add('session', session.id, revision);
    return session;
  }

  /** Adds an event; its `order` is the next one, unless the draft has another, which may be lower or taken. */
  appendEvent(sessionId: string, draft: EventDraft): SimEvent {
    const held = this.#find(sessionId);
    const events = ownEvents(held);
    const event: SimEvent = {
      id: draft.id ?? this.#nextId(),
      order: (events.at(-1)?.order ?? -1) + 1,
      type: 'None',
      status: 'Success',
      endedAt: draft.status === 'Running' ? undefined : draft.startedAt,
      title: '',
      message: '',
      itemName: '',
      itemType: '',
      itemSizeBytes: 0,
      source: '',
      target: '',
      touched: nobody,
      ...draft,
    };
    events.splice(events.findLastIndex(other => other.order <= event.order) + 1, 0, event);
    this.#eventsChanged(held);
    return event;
  }

  /** Rewrites an event: a running one gets its end and final status, or a final one is corrected. */
  finishEvent(sessionId: string, eventId: string, change: Partial<Omit<SimEvent, 'id' | 'order'>>): SimEvent {
    const held = this.#find(sessionId);
    const events = ownEvents(held);
    const index = events.findIndex(event => event.id === eventId);
    const before = events[index];
    if (before === undefined)
      throw new ExporterError('bug', 'Could not finish the event: the session does not have it');
    const event: SimEvent = { ...before, ...change };
    events[index] = event;
    this.#eventsChanged(held);
    return event;
  }

  /** Stops a session. Its result is that of its worst event, unless `result` says otherwise. */
  stopSession(sessionId: string, stop: { endedAt: Nanos; result?: string; details?: string }): SimSession {
    const held = this.#find(sessionId);
    const revision = this.#nextRevision();
    const result = worst(held.events);
    held.session = { ...held.session, result, ...stop, state: 'Stopped', revision, eventRevision: revision };
    this.changes.add('session', held.session.id, revision);
    return held.session;
  }

  /** Takes a session out of the history, with its events. */
  purgeSession(sessionId: string): void {
    const held = this.#find(sessionId);
    this.#byId.delete(held.session.id);
    this.#newestFirst.splice(this.#newestFirst.indexOf(held), 1);
    this.changes.add('deleted', held.session.id, 0);
  }

  /** Adds somebody whose data is in the backups. */
  addOwner(owner: SimOwner): void {
    this.#owners.push(owner);
  }

  owners(kind: SimOwner['kind']): readonly SimOwner[] {
    return this.#owners.filter(owner => owner.kind === kind);
  }

  /** Undefined when there is no such owner (any more). */
  owner(kind: SimOwner['kind'], id: string): SimOwner | undefined {
    return this.#owners.find(owner => owner.kind === kind && owner.id === id);
  }

  /** All sessions, newest first. */
  sessions(): readonly SimSession[] {
    return this.#newestFirst.map(held => held.session);
  }

  /** Undefined when there is no such session (any more). Letter case does not count. */
  session(id: string): SimSession | undefined {
    return this.#byId.get(id.toLowerCase())?.session;
  }

  /** The events of a session, ascending by `order`; none when there is no such session. */
  events(sessionId: string): Events {
    return this.#byId.get(sessionId.toLowerCase())?.events ?? [];
  }

  /** Undefined when the session has no such event. Letter case does not count. */
  event(sessionId: string, eventId: string): SimEvent | undefined {
    const wanted = eventId.toLowerCase();
    for (const event of each(this.events(sessionId))) if (event.id === wanted) return event;
    return undefined;
  }

  /** What the sessions' events come to so far: `Failed`, else `Warning`, else `Success`. */
  worstOf(sessionId: string): string {
    return worst(this.events(sessionId));
  }

  /** Every event of every session, newest session first, ascending by `order` within it. */
  *book(): Generator<Entry> {
    for (const { session, events } of this.#newestFirst)
      for (const event of each(events)) yield { session, event, duration: durationOf(event) };
  }

  #find(sessionId: string): StoredSession {
    const held = this.#byId.get(sessionId.toLowerCase());
    if (held === undefined) throw new ExporterError('bug', 'Could not change the session: it does not exist');
    return held;
  }

  #insert(held: StoredSession): void {
    const place = this.#newestFirst.findIndex(other => other.session.createdAt <= held.session.createdAt);
    this.#newestFirst.splice(place === -1 ? this.#newestFirst.length : place, 0, held);
    this.#byId.set(held.session.id, held);
  }

  #eventsChanged(held: StoredSession): void {
    const eventRevision = this.#nextRevision();
    held.session = { ...held.session, eventRevision };
    this.changes.add('events', held.session.id, eventRevision);
  }

  #nextRevision(): number {
    this.#revision += 1;
    return this.#revision;
  }

  #nextId(): string {
    this.#ids += 1;
    return uuidOf(this.#seed, this.#ids, -9);
  }
}

/** End minus start; undefined while there is no end. */
export function durationOf(event: SimEvent): Nanos | undefined {
  return event.endedAt === undefined ? undefined : event.endedAt - event.startedAt;
}

/** The events as a mutable array; generated ones are stored first. */
function ownEvents(held: StoredSession): SimEvent[] {
  held.own ??= held.events.slice();
  held.events = held.own;
  return held.own;
}

/** The events one after the other, a thousand in memory at a time. */
function* each(events: Events): Generator<SimEvent> {
  for (let from = 0; from < events.length; from += 1000) yield* events.slice(from, from + 1000);
}

function worst(events: Events): string {
  const statuses = new Set<string>();
  for (const { status } of each(events)) statuses.add(status);
  return ['Failed', 'Warning'].find(status => statuses.has(status)) ?? 'Success';
}
