import { dice } from './random.js';
import type { PageWindow, Query } from './query.js';
import { type Dialect, type Json, links } from './wire.js';
import type { Events, SimEvent } from './world.js';

/** A page of a list: its rows, its place in the list, and the path and filters of the list. */
type ListPage = Readonly<{
  rows: readonly Json[];
  paging: PageWindow;
  total: number;
  /** Below `/vN/`. */
  path: string;
  query: Query;
}>;

/**
 * The envelope around a page. `offset` and `limit` are those that were applied; links are `self`, and `first`, `prev`
 * and `next` when there are such pages. Source: vb365-rest.md 4.1 and 4.2; the order of properties is of v3 and v6.
 */
export function writePage(page: ListPage, dialect: Dialect): Json {
  const { rows, paging, total } = page;
  const { version, quirks } = dialect;
  const found = pageLinks(page, dialect);
  if (version <= 5) return { ...paging, results: rows, _links: found };
  const count = quirks.totalCount && version <= 7 ? { totalCount: total } : {};
  return { ...paging, ...count, _links: found, results: rows };
}

function pageLinks({ paging: { offset, limit }, total, path, query }: ListPage, dialect: Dialect): Json {
  const at = (from: number): string => `${path}?${search(from, limit, query)}`;
  return links(dialect, {
    self: at(offset),
    ...(offset > 0 && { first: at(0), prev: at(Math.max(0, offset - limit)) }),
    ...(offset + limit < total && { next: at(offset + limit) }),
  });
}

const spelling: Readonly<Record<string, string>> = {
  starttimefrom: 'startTimeFrom',
  starttimeto: 'startTimeTo',
  endtimefrom: 'endTimeFrom',
  endtimeto: 'endTimeTo',
  orderby: 'orderBy',
  orderasc: 'orderAsc',
};

function search(offset: number, limit: number, query: Query): string {
  const parameters = new URLSearchParams({ offset: String(offset), limit: String(limit) });
  for (const [name, value] of query) {
    const spelled = spelling[name];
    if (spelled !== undefined) parameters.set(spelled, value);
  }
  return parameters.toString();
}

/** The events of a page. Shuffled rows stay on their page, in the same order each time. */
export function pageOfEvents(events: Events, { offset, limit }: PageWindow, { quirks }: Dialect): readonly SimEvent[] {
  if (quirks.eventOrder === 'descending') {
    const end = Math.max(0, events.length - offset);
    return events.slice(Math.max(0, end - limit), end).reverse();
  }
  const rows = events.slice(offset, offset + limit);
  return quirks.eventOrder === 'shuffled' ? shuffled(rows, offset) : rows;
}

function shuffled<T>(rows: readonly T[], key: number): readonly T[] {
  const random = dice(key, 8);
  return rows
    .map(row => ({ row, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ row }) => row);
}
