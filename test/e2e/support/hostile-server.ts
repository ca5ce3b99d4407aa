import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';
import { systemClock } from '../../../src/kernel/clock.js';

/** How the server damages answers. `lists` count how often the list was begun. */
export type HostileMode = Readonly<{
  name: string;
  /** Rows of the list of sessions. */
  list?: Readonly<{ rows: number; of: (row: number, lists: number) => object }>;
  /** Maximum number of events of a session. */
  rows?: number;
  /** Members of event number `row` that differ. */
  event?: (row: number) => object;
  /** Takes over the answer with events. */
  answer?: (response: ServerResponse, session: string, query: URLSearchParams) => void;
  /** Entries of answer number `count` of the change feed (v8), each with a new token. Without it there is no feed. */
  feed?: (count: number) => readonly object[];
  /** The limit that the feed applies; by default that of the request. */
  feedLimit?: number;
  /** Members of a session that is read by its id, or of an owner, that differ. */
  single?: object;
}>;

const bytes = (length: number): Buffer => Buffer.alloc(length, 'a');
/** Writes a block for as long as the client reads, 240 times at most. */
function flood(response: ServerResponse, block: Buffer, coding?: 'gzip'): void {
  const out = coding === undefined ? response : createGzip();
  response.writeHead(200, coding === undefined ? {} : { 'content-encoding': coding });
  if (out !== response) out.pipe(response);
  let left = 240;
  response.on('close', () => (left = 0));
  out.write('{"offset":0,"limit":1000,"results":[{"message":"');
  const write = (): void => {
    while (left > 0) {
      left -= 1;
      if (!out.write(block)) return void out.once('drain', write);
    }
    out.end('"}]}');
  };
  write();
}

const json = (response: ServerResponse, body: string, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(body);

const openedAgain = (row: number, lists: number): object => ({
  id: idOf(lists * 100_000 + row),
  organization: `organization ${String(lists)} ${String(row)}`,
});

let keys = 0;
/** Members with names that no answer had before. Written as text, so that it costs the good server of the same process little. */
const newMembers = (): string => Array.from({ length: 18 }, () => `,"k${String((keys += 1))}":1`).join('');

function newKeys(response: ServerResponse, session: string, query: URLSearchParams): void {
  const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))];
  const rows = Array.from(
    { length: limit },
    (_, row) => `${JSON.stringify(eventOf(session, offset + row)).slice(0, -1)}${newMembers()}}`,
  );
  json(response, `{"offset":${String(offset)},"limit":${String(limit)},"results":[${rows.join(',')}]}`);
}

/** Hostile in what it answers for the events of 60 open sessions, which never end. */
export const eventModes: readonly HostileMode[] = [
  { name: 'long messages', event: row => ({ message: `Item ${String(row)} `.padEnd(4000, 'abcdefg ') }) },
  { name: 'long messages of two bytes a character', event: row => ({ message: '漢'.repeat(1300) + String(row) }) },
  {
    name: 'a message with 200,000 verbs',
    rows: 8,
    event: () => ({ message: `Item${' was'.repeat(200_000)}`, title: '' }),
  },
  { name: 'a new key for every value', answer: newKeys },
  {
    name: 'a new owner with long texts for every event',
    event: row => ({ userId: `${String(row)} ${'u'.repeat(1_000)}` }),
    single: {
      displayName: 'o'.repeat(5_000),
      mailboxes: Array.from({ length: 100 }, (_, row) => ({ email: `${String(row)}${'e'.repeat(5_000)}@x` })),
    },
  },
  { name: 'one text of 240 MB', answer: response => flood(response, bytes(1024 * 1024)) },
  { name: 'compressed text of 240 MB', answer: response => flood(response, bytes(1024 * 1024), 'gzip') },
  {
    name: '250 MB of rows',
    answer: response => flood(response, Buffer.from('"},{"id":"x","order":1,"m":"'.repeat(36_000))),
  },
];

const changed = (number: number, eventType = 'RestoreSessionUpdate'): object => ({
  id: idOf(1_000_000 + number),
  eventType,
  eTag: number,
});
const longTexts = { name: 'n'.repeat(1_000), organization: 'o'.repeat(1_000), reason: 'r'.repeat(4_000) };

const endlessFeeds: readonly Omit<HostileMode, 'rows'>[] = [
  {
    name: 'one change at a time, for ever',
    feed: count => [changed(count)],
    feedLimit: 1,
    single: { state: 'Stopped' },
  },
  {
    name: 'one change of another object at a time, for ever',
    feed: count => [{ id: count, eventType: 'Job' }],
    feedLimit: 1,
  },
  {
    name: '2,500 changed sessions in every answer',
    feed: count => Array.from({ length: 2_500 }, (_, row) => changed(count * 2_500 + row)),
  },
  {
    name: '2,500 deleted sessions in every answer',
    feed: count => Array.from({ length: 2_500 }, (_, row) => changed(count * 2_500 + row, 'RestoreSessionDelete')),
  },
  {
    name: '40 new sessions with long texts in every answer',
    feed: count => Array.from({ length: 40 }, (_, row) => changed(count * 40 + row)),
    single: longTexts,
  },
];

/** Hostile in what it reports as changed (v8). */
export const feedModes: readonly HostileMode[] = endlessFeeds.map(mode => ({ ...mode, rows: 1 }));

/** Hostile in what it lists. */
export const listModes: readonly HostileMode[] = [
  {
    name: 'new sessions and organizations with long texts in every list',
    list: {
      rows: 10_000,
      of: (row, lists) => ({ ...openedAgain(row, lists), name: 'n'.repeat(1_000), details: 'd'.repeat(2_000) }),
    },
  },
  { name: '60,000 open sessions', list: { rows: 60_000, of: () => ({}) } },
  {
    name: '60,000 stopped sessions',
    list: {
      rows: 60_000,
      of: () => ({
        state: 'Stopped',
        creationTime: timeOf(systemClock.now()),
        endTime: timeOf(systemClock.now() + 60_000),
      }),
    },
  },
];

const timeOf = (ms: number): string => new Date(ms).toISOString();
const idOf = (number: number): string => `${number.toString(16).padStart(8, '0')}-bc66-476d-941a-000000000000`;

const sessionOf = (number: number): object => ({
  id: idOf(number),
  name: 'Restore',
  organization: 'contoso',
  type: 'Vex',
  creationTime: timeOf(systemClock.now() - 60_000),
  state: 'Working',
  result: 'Success',
});

const eventOf = (session: string, row: number): object => ({
  id: `${row.toString(16).padStart(8, '0')}-bc66-476d-941a-${session.slice(0, 8).padStart(12, '0')}`,
  type: 'Restore',
  status: 'Success',
  startTime: timeOf(systemClock.now() - 1_000),
  endTime: timeOf(systemClock.now()),
  order: row,
  title: 'restore',
  message: `Item ${String(row)} was restored successfully (type: Message; source: a; target: b)`,
});

function pageOf(query: URLSearchParams, total: number, rowOf: (row: number) => object): string {
  const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))];
  const results = Array.from({ length: Math.max(0, Math.min(total - offset, limit)) }, (_, row) => rowOf(offset + row));
  return JSON.stringify({ offset, limit, results });
}

export type HostileServer = Readonly<{
  url: string;
  /** Requests so far. */
  asked: () => number;
  /** Rows of events of a session so far; endless by default. */
  rows: (count: () => number) => void;
  play: (mode: HostileMode) => void;
  close: () => Promise<void>;
}>;

const endless = (): number => Infinity;

/** A server of any API version with `sessions` open sessions, on a free port. */
export async function hostileServer(sessions: number): Promise<HostileServer> {
  let mode: HostileMode = { name: 'none' };
  let count = endless;
  let [lists, feeds, asked] = [0, 0, 0];
  const answerFeed = (query: URLSearchParams, response: ServerResponse): void => {
    if (mode.feed === undefined) return json(response, '{}', 404);
    feeds += 1;
    // Nothing has happened before the first token was issued.
    const results = query.get('from') === 'latest' ? [] : mode.feed(feeds);
    const limit = mode.feedLimit ?? Number(query.get('limit'));
    json(response, JSON.stringify({ nextChangeToken: String(feeds), limit, results }));
  };
  const answer = (url: URL, response: ServerResponse): void => {
    const { pathname, searchParams: query } = url;
    asked += 1;
    const [, id, events] = /RestoreSessions\/([^/]+)(\/Events)?$/.exec(pathname) ?? [];
    if (pathname.endsWith('/token')) json(response, '{"access_token":"t","token_type":"bearer","expires_in":3600}');
    else if (pathname.endsWith('/ServiceInstance'))
      json(response, JSON.stringify({ installationId: idOf(Number(url.port)), version: '7.0.0.1' }));
    else if (pathname.endsWith('/RestoreSessions')) {
      const { rows = sessions, of = () => ({}) } = mode.list ?? {};
      if (Number(query.get('offset')) === 0) lists += 1;
      json(
        response,
        pageOf(query, rows, row => ({ ...sessionOf(row), ...of(row, lists) })),
      );
    } else if (/\/Protected[^/]+\/[^/]+$/.test(pathname)) json(response, JSON.stringify(mode.single ?? {}));
    else if (/\/v\d\/Events$/.test(pathname)) answerFeed(query, response);
    else if (id === undefined) json(response, '{}', 404);
    else if (events === undefined) json(response, JSON.stringify({ ...sessionOf(0), id, ...mode.single }));
    else if (mode.answer !== undefined) mode.answer(response, id, query);
    else
      json(
        response,
        pageOf(query, Math.min(count(), mode.rows ?? Infinity), row => ({ ...eventOf(id, row), ...mode.event?.(row) })),
      );
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(new URL(request.url ?? '', `http://127.0.0.1:${String(port)}`), response));
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    asked: () => asked,
    rows: counting => void (count = counting),
    play: next => void (mode = next),
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => {
        server.close(resolve);
      });
    },
  };
}
