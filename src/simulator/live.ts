import type { Nanos } from '../model/time.js';
import { helpdesk } from './cast.js';
import type { Quirks } from './quirks.js';
import { between, dice } from './random.js';
import {
  detailsOf,
  itemEvent,
  lineEvent,
  type Role,
  roleOf,
  type Scene,
  sessionOf,
  statusOf,
  whileRunning,
} from './script.js';
import type { SimEvent, World } from './world.js';

/** How lively it goes. */
export type LiveOptions = Readonly<{
  /** 1: a session about every 5 s, an item in each about every second; 10: ten times as fast. Default 1. */
  pace?: number;
  /** Stopped sessions are purged after so many hours, so that a demo can run for ever. Default 6. */
  keepHours?: number;
}>;

/** Something that happens in the world at its time. */
type Step = Readonly<{ at: Nanos; run: (world: World) => void }>;

/** What happens in a session: its steps, and when it stops. */
type Play = Readonly<{ steps: readonly Step[]; endedAt: Nanos }>;

const second = 1_000_000_000;

/** Sessions that are open at the start, one of each workload: each begins with a Success, a Warning and a Failed. */
const openers = 4;
const openingStatuses = ['Success', 'Warning', 'Failed'];
const longestSeconds = 6;
const lateRowSeconds = 7;

/**
 * A restore history that goes on for ever: sessions open, show their items, and stop. What happens, and when, depends
 * on the seed and the start alone; `advance` makes the due events happen, and nothing happens without it.
 */
export class LiveStream {
  readonly #seed: number;
  readonly #startAt: Nanos;
  readonly #quirks: Quirks;
  readonly #pace: number;
  readonly #keep: Nanos;
  /** Steps of open sessions, next first. */
  #agenda: Step[] = [];
  readonly #purges: Step[] = [];
  #next = 0;

  constructor(options: LiveOptions, { seed, quirks, startAt }: { seed: number; quirks: Quirks; startAt: Nanos }) {
    this.#seed = seed;
    this.#startAt = startAt;
    this.#quirks = quirks;
    this.#pace = options.pace ?? 1;
    this.#keep = BigInt(Math.round((options.keepHours ?? 6) * 3600)) * BigInt(second);
  }

  /** Makes everything happen that is due until `now`, each thing at its own time, in order. */
  advance(world: World, now: Nanos): void {
    for (;;) {
      const openAt = this.#opensAt(this.#next);
      const step = this.#agenda[0];
      if (step !== undefined && step.at <= now && step.at < openAt) {
        this.#agenda.shift();
        step.run(world);
      } else if (openAt <= now) {
        this.#purge(world, openAt);
        this.#open(openAt);
      } else return;
    }
  }

  #opensAt(number: number): Nanos {
    const jitter = dice(this.#seed, number, 6)();
    if (number < openers) return this.#startAt - this.#after(10 - number + jitter);
    return this.#startAt + this.#after(5 * (number - openers + 1) + 2 * jitter);
  }

  #open(openAt: Nanos): void {
    const scene = { seed: this.#seed, number: this.#next, quirks: this.#quirks };
    this.#next += 1;
    const play = this.#play(scene, openAt);
    const purgeAt = play.endedAt + this.#keep + BigInt(lateRowSeconds * second);
    this.#purges.push({ at: purgeAt, run: world => world.purgeSession(roleOf(scene).id) });
    this.#agenda = [...this.#agenda, ...play.steps].sort((a, b) => Number(a.at - b.at));
  }

  /** Purges old sessions whenever a new one opens, the oldest first. */
  #purge(world: World, now: Nanos): void {
    for (let step = this.#purges[0]; step !== undefined && step.at <= now; step = this.#purges[0]) {
      this.#purges.shift();
      step.run(world);
    }
  }

  #play(scene: Scene, openAt: Nanos): Play {
    const role = castFor(scene);
    const events = this.#items(scene, role, openAt);
    const lastAt = events.reduce((latest, { endedAt = 0n }) => (endedAt > latest ? endedAt : latest), openAt);
    const endedAt = lastAt + this.#after(2);
    const open: Step = { at: openAt, run: world => world.addSession(sessionOf(scene, role, openAt)) };
    const steps = [this.#line(scene, role, { order: 0, at: openAt, text: 'Restore session started' })];
    for (const event of events) steps.push(...itemSteps(scene, role, event));
    steps.push(this.#line(scene, role, { order: events.length + 1, at: endedAt, text: 'Restore session completed' }));
    return { steps: [open, ...steps, stopStep(role, events, endedAt)], endedAt };
  }

  #items(scene: Scene, role: Role, openAt: Nanos): readonly SimEvent[] {
    const random = dice(scene.seed, scene.number, 7);
    const opener = scene.number < openers;
    const count = role.result === 'Success' && random() < 0.15 ? 0 : between(random, 4, 10);
    const longest = (opener ? 3 : longestSeconds) / this.#pace;
    let startedAt = opener ? this.#startAt + this.#after(1.5 + random()) : openAt + this.#after(1);
    return Array.from({ length: count }, (_, index) => {
      const order = index + 1;
      const status = statusIn(scene, role, order);
      const event = itemEvent(scene, role, { order, startedAt, longestSeconds: longest, status });
      startedAt += this.#after(0.4 + (opener ? 1 : 2.4) * random());
      return event;
    });
  }

  #line(scene: Scene, role: Role, line: { order: number; at: Nanos; text: string }): Step {
    return { at: line.at, run: world => world.appendEvent(role.id, lineEvent(scene, role, line)) };
  }

  /** So many seconds at pace 1, to the tick. */
  #after(seconds: number): Nanos {
    return BigInt(Math.round((seconds * 1e7) / this.#pace)) * 100n;
  }
}

/** The first session is of mailboxes, and of somebody whom they do not belong to. */
function castFor(scene: Scene): Role {
  const role = roleOf(scene);
  const opener = scene.number < openers ? { ...role, result: 'Failed' } : role;
  return scene.number === 0 ? { ...opener, initiator: helpdesk } : opener;
}

function statusIn(scene: Scene, role: Role, order: number): string {
  const opening = scene.number < openers ? openingStatuses[order - 1] : undefined;
  return opening ?? statusOf(scene, role, order);
}

/** How an item comes to be listed: at once, first as running, late, or not at all. */
function itemSteps(scene: Scene, role: Role, event: SimEvent): readonly Step[] {
  const { running, lateRows, lostRows } = scene.quirks;
  const { endedAt = event.startedAt } = event;
  if (lostRows && event.order % 5 === 4) return [];
  const late = lateRows && event.order % 4 === 2;
  const listedAt = late ? endedAt + BigInt(lateRowSeconds * second) : endedAt;
  const listed: Step = { at: listedAt, run: world => world.appendEvent(role.id, event) };
  if (late || !running || endedAt === event.startedAt) return [listed];
  return [
    { at: event.startedAt, run: world => world.appendEvent(role.id, whileRunning(event)) },
    { at: endedAt, run: world => world.finishEvent(role.id, event.id, event) },
  ];
}

function stopStep(role: Role, events: readonly SimEvent[], endedAt: Nanos): Step {
  const details = detailsOf(events.length, events.filter(event => event.status === 'Success').length);
  return { at: endedAt, run: world => world.stopSession(role.id, { endedAt, details }) };
}
