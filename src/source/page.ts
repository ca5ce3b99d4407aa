import { z } from 'zod';
import { ExporterError } from '../kernel/errors.js';
import type { AnomalyKind } from '../model/event.js';
import type { ApiOperation } from '../model/labels.js';
import { isJsonObject } from './json.js';
import { failure } from './request-errors.js';

/** One page of a collection, its rows as the server wrote them. */
export type Page = Readonly<{
  rows: readonly unknown[];
  /** No row follows this page. */
  last: boolean;
  /** It has fewer rows than its limit. */
  short?: true;
  anomalies: readonly AnomalyKind[];
}>;

/** Which rows to request: `limit` rows at most, from number `offset` on. */
export type PageRange = Readonly<{ offset: number; limit: number }>;
/** The page that was requested. */
type Asked = PageRange & Readonly<{ operation: ApiOperation }>;

const envelope = z.object({
  offset: z.int().nonnegative(),
  limit: z.int().nonnegative().nullish(),
  results: z.custom<readonly unknown[] | null>(value => value === null || Array.isArray(value)),
  _links: z.unknown().optional(),
});

/**
 * Reads a page and whether another one follows. None follows an empty page, nor a page with fewer rows than the limit
 * that the server applied and without a `next` link. The link itself is never followed. A bare array, as documented for
 * v2 and v3, is the whole collection. `results: null` is an empty page, and a missing `limit` is the one asked for.
 * @throws {ExporterError} `decode` when it is not a page, or the page at another offset.
 */
export function decodePage(json: unknown, asked: Asked): Page {
  if (Array.isArray(json)) return { rows: json.slice(asked.offset), last: true, anomalies: [] };
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw failure(asked.operation, 'decode', `the answer is not a page${firstMember(parsed.error)}`);
  const { offset, _links: links } = parsed.data;
  const { limit, results } = withDefaults(parsed.data, asked);
  if (offset !== asked.offset) throw failure(asked.operation, 'decode', 'the answer is the page at another offset');
  const short = results.length < limit;
  return {
    rows: results,
    ...(short ? { short } : {}),
    last: results.length === 0 || (short && !hasNext(links)),
    anomalies: limit !== asked.limit || results.length > limit ? ['limit_ignored'] : [],
  };
}

/** Serializers write an empty list as null too. */
const withDefaults = (page: z.output<typeof envelope>, asked: Asked) => ({
  limit: page.limit ?? asked.limit,
  results: page.results ?? [],
});

const hasNext = (links: unknown): boolean =>
  isJsonObject(links) && links['next'] !== undefined && links['next'] !== null;

/** Names the first invalid member, never its value. */
const firstMember = (error: z.ZodError): string => {
  const member = error.issues[0]?.path[0];
  return member === undefined ? '' : ` (see "${String(member)}")`;
};

/** A query string with its question mark. */
export const query = (parameters: Readonly<Record<string, string | number>>): string =>
  `?${Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;

/** A page that takes longer is too large for the server, like one that times out. */
const slowMs = 10_000;
/** A full page that takes less shows that the server can do more. */
const fastMs = 2_000;
const growth = 1.1;
/** Smaller pages cost more requests than they save. */
const smallest = 1_000;

type SizedPage<T> = Readonly<{ page: T; tookMs: number }>;

/**
 * Reads pages with `most` rows at first. The limit is halved when the server is slow, to 1,000 at least, or to `most` when
 * that is less, and slowly raised again when it is fast. The absence of a page says nothing about the server.
 */
export function adaptivePages(most: number) {
  let current = most;
  const shrink = (): void => {
    current = Math.max(Math.min(most, smallest), Math.floor(current / 2));
  };
  return async <T extends Pick<Page, 'rows'> | undefined>(read: (limit: number) => Promise<SizedPage<T>>) => {
    const limit = current;
    try {
      const { page, tookMs } = await read(limit);
      if (page !== undefined && tookMs > slowMs) shrink();
      else if (page !== undefined && page.rows.length >= limit && tookMs < fastMs)
        current = Math.min(most, Math.ceil(current * growth));
      return page;
    } catch (thrown) {
      if (thrown instanceof ExporterError && thrown.reason === 'timeout') shrink();
      throw thrown;
    }
  };
}
