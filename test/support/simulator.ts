import type { Clock } from '../../src/kernel/clock.js';
import { milliseconds, type Nanos, parseInstant } from '../../src/model/time.js';
import { simulate, type SimulateOptions, type Simulator } from '../../src/simulator/simulate.js';

/** A clock that stands still until it is moved. */
export type DrivenClock = Clock & { advance(ms: number): void };

export const noon2024 = Date.parse('2024-05-06T12:00:00.000Z');

export function drivenClock(startMs = noon2024): DrivenClock {
  let nowMs = startMs;
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { now: () => nowMs, monotonic: () => nowMs, sleep: async ms => advance(ms), advance };
}

export const at = (text: string): Nanos => parseInstant(text)?.at ?? 0n;
export const atMs = (ms: number): Nanos => milliseconds(ms);

export type Answer = { status: number; headers: Headers; text: string; json: unknown };
export type PageJson = {
  offset: number;
  limit: number;
  totalCount?: number;
  results: Record<string, unknown>[];
  _links: Record<string, { href: string }>;
};

/** Something that speaks to a simulator as a client would; `login` must come first, unless the path is open. */
export class Visitor {
  readonly #url: string;
  token = '';

  constructor({ url }: Pick<Simulator, 'url'>) {
    this.#url = url;
  }

  async login(version: number, extra: Record<string, string> = {}): Promise<Answer> {
    const form = { grant_type: 'password', username: 'simulator', password: 'simulator', ...extra };
    const answer = await this.send(`/v${version}/token`, { method: 'POST', body: new URLSearchParams(form) });
    if (answer.status === 200) this.token = (answer.json as { access_token: string }).access_token;
    return answer;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(path, { headers: { authorization: `Bearer ${this.token}`, ...headers } });
  }

  async page(path: string): Promise<PageJson> {
    return (await this.get(path)).json as PageJson;
  }

  async send(path: string, init: RequestInit = {}): Promise<Answer> {
    // oxlint-disable-next-line no-restricted-globals -- its own client, so that the simulator is not tested with the program's
    const response = await fetch(this.#url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: text === '' ? undefined : jsonOf(text) };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Runs `visit` against a simulator with somebody logged in to `version`, and stops it afterwards. */
export async function visiting(
  version: number,
  options: Partial<SimulateOptions>,
  visit: (visitor: Visitor, simulator: Simulator) => Promise<void>,
): Promise<void> {
  const simulator = await simulate({ clock: drivenClock(), ...options });
  try {
    const visitor = new Visitor(simulator);
    await visitor.login(version, version >= 7 ? { disable_antiforgery_token: 'true' } : {});
    await visit(visitor, simulator);
  } finally {
    await simulator.close();
  }
}
