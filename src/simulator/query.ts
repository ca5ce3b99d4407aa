import { type Nanos, parseInstant } from '../model/time.js';
import { invalidParameter, type ApiProblem } from './problem.js';
import type { Dialect } from './wire.js';
import type { SimSession } from './world.js';

/** Query parameters by lower-case name: servers ignore their case. */
export type Query = ReadonlyMap<string, string>;

/** The requested part of a list. */
export type PageWindow = Readonly<{ offset: number; limit: number }>;

type TimeFilter = 'startTimeFrom' | 'startTimeTo' | 'endTimeFrom' | 'endTimeTo';

/** Time filters. Bounds on starts are excluded ("after", "prior to" in the vendor's text), those on ends included. */
type TimeWindows = Readonly<Partial<Record<TimeFilter, Nanos>>>;

/** The requested sessions and their order. */
type Selection = Readonly<{ times: TimeWindows; by: 'creation' | 'end'; ascending: boolean }>;

/** The query parameters of a URL. */
export const queryOf = (url: string): Query =>
  new Map([...new URL(url, 'http://simulator').searchParams].map(([name, value]) => [name.toLowerCase(), value]));

/** `offset` and `limit` with defaults and bounds. A quirk decides about a `limit` above the maximum. */
export function readPaging(query: Query, { quirks }: Dialect): PageWindow | ApiProblem {
  const offset = readCount(query.get('offset'), 0);
  const limit = readCount(query.get('limit'), Math.min(quirks.defaultLimit, quirks.maxLimit));
  if (offset === undefined) return invalidParameter('offset');
  if (limit === undefined || limit === 0) return invalidParameter('limit');
  if (limit > quirks.maxLimit && quirks.overLimit === 'reject') return invalidParameter('limit');
  return { offset, limit: Math.min(limit, quirks.maxLimit) };
}

/** A whole number; undefined for anything else. */
export function readCount(text: string | undefined, fallback: number): number | undefined {
  if (text === undefined) return fallback;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Filters and order, as far as the version has them; it ignores others. Source: vb365-rest.md 5.1. */
export function readSelection(query: Query, { version, quirks }: Dialect): Selection | ApiProblem {
  const times: Partial<Record<TimeFilter, Nanos>> = {};
  for (const name of timeFilters(version)) {
    const text = query.get(name.toLowerCase());
    const parsed = parseInstant(text ?? '');
    if (parsed !== undefined) times[name] = parsed.at;
    else if (text !== undefined) return invalidParameter(name);
  }
  return {
    times,
    ...(version === 8 ? readOrder(query) : { by: 'creation', ascending: quirks.sessionOrder === 'oldest' }),
  };
}

function readOrder(query: Query): Pick<Selection, 'by' | 'ascending'> {
  return {
    by: query.get('orderby')?.toLowerCase() === 'endtime' ? 'end' : 'creation',
    ascending: query.get('orderasc')?.toLowerCase() === 'true',
  };
}

function timeFilters(version: number): readonly TimeFilter[] {
  if (version <= 5) return [];
  return version <= 7 ? ['startTimeFrom', 'startTimeTo'] : ['startTimeFrom', 'startTimeTo', 'endTimeFrom', 'endTimeTo'];
}

/** Applies filters and order; `sessions` are newest first. A session without an end matches no filter on ends. */
export function selectSessions(sessions: readonly SimSession[], selection: Selection): readonly SimSession[] {
  const { times, by, ascending } = selection;
  const wanted = sessions.filter(
    session =>
      within(session.createdAt, after(times.startTimeFrom), before(times.startTimeTo)) &&
      within(session.endedAt, times.endTimeFrom, times.endTimeTo),
  );
  if (by === 'end') wanted.sort(latestEndFirst);
  return ascending ? wanted.reverse() : wanted;
}

const after = (bound: Nanos | undefined): Nanos | undefined => (bound === undefined ? bound : bound + 1n);
const before = (bound: Nanos | undefined): Nanos | undefined => (bound === undefined ? bound : bound - 1n);

function within(at: Nanos | undefined, from: Nanos | undefined, to: Nanos | undefined): boolean {
  if (from === undefined && to === undefined) return true;
  return at !== undefined && (from === undefined || at >= from) && (to === undefined || at <= to);
}

/** Sessions without an end come before those that have one. */
function latestEndFirst(a: SimSession, b: SimSession): number {
  if (a.endedAt === undefined || b.endedAt === undefined)
    return Number(a.endedAt !== undefined) - Number(b.endedAt !== undefined);
  return Number(b.endedAt - a.endedAt);
}
