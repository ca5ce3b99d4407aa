import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SimulatedVersion } from './quirks.js';
import type { Query } from './query.js';

/** A request, as far as the server has understood it. */
export type RecordedRequest = Readonly<{
  /** Upper case. */
  method: string;
  /** Undefined for a path that the server does not have. */
  version: SimulatedVersion | undefined;
  /** The path below `/vN` with `{id}` and `{eventId}` for ids, such as `/RestoreSessions/{id}/Events`; `*` for a path that the server does not have. */
  route: string;
  query: Query;
  /** How many requests for this route have begun, this one included. */
  ordinal: number;
}>;

/** A call and the status it was answered with; undefined while it is not, or when the connection broke first. */
type Answered = RecordedRequest & { status: number | undefined };

/**
 * Steps between a request and its answer, before the token is looked at: answer it here, break the connection, or
 * call `proceed`, at once or later, to let the server answer.
 */
export type Intercept = (
  call: RecordedRequest,
  exchange: Readonly<{ request: IncomingMessage; response: ServerResponse; proceed: () => void }>,
) => void | Promise<void>;

const recentLimit = 10_000;

/** What was asked of the server. */
export class Traffic {
  readonly #counts = new Map<string, number>();
  readonly #recent: Answered[] = [];

  /** Notes that a request has begun; its status follows when it is answered. */
  begin(call: Omit<RecordedRequest, 'ordinal'>, response: ServerResponse): RecordedRequest {
    const ordinal = this.count(call.route) + 1;
    this.#counts.set(call.route, ordinal);
    const answered: Answered = { ...call, ordinal, status: undefined };
    this.#recent.push(answered);
    if (this.#recent.length > recentLimit) this.#recent.shift();
    response.once('finish', () => {
      answered.status = response.statusCode;
    });
    return answered;
  }

  /** How many requests for a route have begun, over all versions and methods. */
  count(route: string): number {
    return this.#counts.get(route) ?? 0;
  }

  /** The last ten thousand calls, oldest first. */
  get recent(): readonly Readonly<Answered>[] {
    return this.#recent;
  }
}
