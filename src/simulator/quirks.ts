/** API versions that can be simulated. v4 and v5 answer like v3, and so does v2, but without item fields. */
export const simulatedVersions = [2, 3, 4, 5, 6, 7, 8] as const;
export type SimulatedVersion = (typeof simulatedVersions)[number];

/**
 * Behaviours of the simulated server that can be changed. What real servers do, and what is assumed, is in
 * docs/SIMULATOR.md.
 */
export type Quirks = Readonly<{
  /** How a value that is not there is written. `empty` is `""` for a text, null for everything else. Default `omit`. */
  absent: 'omit' | 'null' | 'empty';
  /** `native`: local offset up to v5, `Z` from v6. `utc`: `Z` always. `bare`: UTC without saying so. Default `native`. */
  times: 'native' | 'utc' | 'bare';
  /** Zone of local times, in minutes east of UTC. Default 180, as in the vendor's v3 example. */
  offsetMinutes: number;
  /** Trailing zeros of fractions of a second are left out. Default true. */
  trimFractions: boolean;
  /** What links begin with up to v5; clients cannot reach it. Default `https://vb365.sim.local:4443`. */
  linkHost: string;
  /** Events have item fields (v3 to v5; v2 never has them, v6 always). False is the shape of 2017. Default true. */
  itemFields: boolean;
  /** Enumerated values in lower case, as old documentation prints them. Default false. */
  lowerCaseEnums: boolean;
  /** What `result` says while a session is working; `omit` counts up to v5 only. Default `success`. */
  workingResult: 'success' | 'worst' | 'omit';
  /** Added or changed events change no `eTag` and are missing from the change feed (v8). Default false. */
  silentEvents: boolean;
  /** The change feed (v8) is served, or answers 404, or 403. Default `served`. */
  feed: 'served' | 'missing' | 'refused';
  /** Owners of restored data (v8) are served, or the account may not read them (403). Default `served`. */
  owners: 'served' | 'refused';
  /** A token behind which more has changed than this is outdated. Default 10000. */
  feedEntries: number;

  /** Page size when the client names none. Default 30. */
  defaultLimit: number;
  /** Largest page. Default 10000. */
  maxLimit: number;
  /** What happens to a `limit` above the largest: cut, as the echoed `limit` says, or 400. Default `clamp`. */
  overLimit: 'clamp' | 'reject';
  /** Order of sessions where the client cannot choose it (up to v7). Default `newest`. */
  sessionOrder: 'newest' | 'oldest';
  /** Order of events; `shuffled` mixes the rows of each page. Default `ascending`. */
  eventOrder: 'ascending' | 'descending' | 'shuffled';
  /** Up to v5 the list of sessions is a bare array, as the vendor's v2 and v3 pages print it. Default false. */
  bareSessionList: boolean;
  /** Pages carry `totalCount` (v6 and v7 only). Default false. */
  totalCount: boolean;
  /** So many sessions start, and stop at once, after each answered page of the list of sessions. Default 0. */
  arrivalsPerPage: number;
  /** So many stopped sessions, oldest first, are purged after each answered page of the list of sessions. Default 0. */
  purgesPerPage: number;
  /** Status of the answer about a session or event that does not exist. Default 404. */
  missingStatus: 404 | 500;

  /** Life of an access token. Default 3600. */
  tokenLifetimeSeconds: number;
  /** Life of a refresh token. Default 14 days. */
  refreshLifetimeSeconds: number;
  /** From v7, a token got without `disable_antiforgery_token=true` is of no use without its cookie. Default false. */
  demandAntiforgery: boolean;
  /** The account has multi-factor authentication on: its password is refused. Default false. */
  mfa: boolean;
  /** Only restore operators may use the API: everything but the token answers 403. Default false. */
  operatorsOnly: boolean;
  /** What `/v8/Health` says. Default true. */
  healthy: boolean;

  /** Live items that take time are listed as `Running` first. Default true. */
  running: boolean;
  /** Some live events are listed 7 s after they ended, when later ones are there already. Default false. */
  lateRows: boolean;
  /** Some `order`s of live sessions never appear. Default false. */
  lostRows: boolean;
  /** Item names with trailing blanks, parentheses, colons, quotes and non-ASCII letters. Default true. */
  oddNames: boolean;
  /** Items of SharePoint, OneDrive and Teams that are only viewed have no target. Default true. */
  emptyTargets: boolean;
  /** Some events are `Cancelled` or `Skipped`. Default true. */
  rareStatuses: boolean;
  /** Some session types, event types and statuses are words that no documentation has. Default false. */
  unknownValues: boolean;
}>;

/** A server as the vendor's documentation and examples show it. */
export const defaultQuirks: Quirks = Object.freeze({
  absent: 'omit',
  times: 'native',
  offsetMinutes: 180,
  trimFractions: true,
  linkHost: 'https://vb365.sim.local:4443',
  itemFields: true,
  lowerCaseEnums: false,
  workingResult: 'success',
  silentEvents: false,
  feed: 'served',
  owners: 'served',
  feedEntries: 10_000,
  defaultLimit: 30,
  maxLimit: 10_000,
  overLimit: 'clamp',
  sessionOrder: 'newest',
  eventOrder: 'ascending',
  bareSessionList: false,
  totalCount: false,
  arrivalsPerPage: 0,
  purgesPerPage: 0,
  missingStatus: 404,
  tokenLifetimeSeconds: 3600,
  refreshLifetimeSeconds: 14 * 86_400,
  demandAntiforgery: false,
  mfa: false,
  operatorsOnly: false,
  healthy: true,
  running: true,
  lateRows: false,
  lostRows: false,
  oddNames: true,
  emptyTargets: true,
  rareStatuses: true,
  unknownValues: false,
});
