import { z } from 'zod';
import type { AnomalyKind } from '../model/event.js';
import { failure } from './request-errors.js';
import type { Operation } from './options.js';
import { isWire } from './wire.js';

/** One page of a collection, its rows still as the server wrote them. */
export type Page = Readonly<{
  rows: readonly unknown[];
  /** No row follows this page. */
  last: boolean;
  anomalies: readonly AnomalyKind[];
}>;

/** Which rows to request: `limit` rows at most, from number `offset` on. */
export type PageRange = Readonly<{ offset: number; limit: number }>;
/** The page that was requested. */
export type Asked = PageRange & Readonly<{ operation: Operation }>;

const envelope = z.object({
  offset: z.int().nonnegative(),
  limit: z.int().nonnegative(),
  results: z.custom<readonly unknown[]>(Array.isArray),
  _links: z.unknown().optional(),
});

/**
 * Reads a page and whether another follows: none does behind no rows, or behind fewer rows than the limit that the
 * server says it used, without a `next` link. The link itself is never followed. A bare array, as the documents of v2
 * and v3 print it, is the whole collection.
 * @throws {ExporterError} `decode` when it is no page, or the page at another offset.
 */
export function decodePage(json: unknown, asked: Asked): Page {
  if (Array.isArray(json)) return { rows: json.slice(asked.offset), last: true, anomalies: [] };
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw failure(asked.operation, 'decode', `the answer is no page${firstMember(parsed.error)}`);
  const { offset, limit, results, _links: links } = parsed.data;
  if (offset !== asked.offset) throw failure(asked.operation, 'decode', 'the answer is the page at another offset');
  return {
    rows: results,
    last: results.length === 0 || (results.length < limit && !hasNext(links)),
    anomalies: limit !== asked.limit || results.length > limit ? ['limit_ignored'] : [],
  };
}

const hasNext = (links: unknown): boolean => isWire(links) && links['next'] !== undefined && links['next'] !== null;

/** Names the first member of ours that is wrong, never what stands in it. */
const firstMember = (error: z.ZodError): string => {
  const member = error.issues[0]?.path[0];
  return member === undefined ? '' : ` (see "${String(member)}")`;
};
