import type { Nanos } from '../model/time.js';
import type { Quirks } from './quirks.js';
import { dice } from './random.js';
import { detailsOf, itemEvent, lineEvent, type Role, roleOf, type Scene, sessionOf, statusOf } from './script.js';
import type { Events, SimEvent, World } from './world.js';

/** How much history to make up. `sessions` times `eventsEach` may be a million: events are made when asked for. */
export type HistoryOptions = Readonly<{
  sessions: number;
  /** Events of each session, the opening and the closing line included; at least 1. */
  eventsEach: number;
  /** Over how many days before now the sessions are spread. */
  days: number;
}>;

/** Items of a made-up old session begin this far apart, and take no longer than that many seconds. */
const gap: Nanos = 200_000_000n;
const longestSeconds = 60;

/** Fills the world with stopped sessions that ended before `now`, evenly spread, oldest first. */
export function writeHistory(
  world: World,
  { sessions, eventsEach, days }: HistoryOptions,
  { seed, quirks, now }: { seed: number; quirks: Quirks; now: Nanos },
): void {
  const length = BigInt(eventsEach) * gap + BigInt(longestSeconds) * 1_000_000_000n;
  const spacing = (days * 86_400e7) / sessions;
  for (let index = 0; index < sessions; index += 1) {
    const scene = { seed, number: historyNumber(index), quirks };
    const ageTicks = (sessions - index - dice(seed, scene.number, 5)()) * spacing;
    addOldSession(world, scene, { createdAt: now - length - BigInt(Math.round(ageTicks)) * 100n, length, eventsEach });
  }
}

/** A session of one item that begins and ends at `now`. */
export function writeVisit(world: World, scene: Scene, now: Nanos): void {
  const role = roleOf(scene);
  world.addSession({ ...sessionOf(scene, role, now), endedAt: now, result: role.result });
  world.appendEvent(role.id, lineEvent(scene, role, { order: 0, at: now, text: 'Restore session started' }));
  world.appendEvent(role.id, itemEvent(scene, role, { order: 1, startedAt: now, longestSeconds: 0 }));
}

/** Scene numbers of old sessions lie far above those of live ones, so that no two sessions are the same. */
const historyNumber = (index: number): number => 1_000_000_000 + index;

type OldSession = Readonly<{ createdAt: Nanos; length: Nanos; eventsEach: number }>;

function addOldSession(world: World, scene: Scene, { createdAt, length, eventsEach }: OldSession): void {
  const drawn = roleOf(scene);
  const items = Math.max(0, eventsEach - 2);
  const role = items === 0 ? { ...drawn, result: 'Success' } : drawn;
  world.addSession(
    {
      ...sessionOf(scene, role, createdAt),
      endedAt: createdAt + length,
      result: role.result,
      details: detailsOf(items, successes(scene, role, items)),
    },
    madeUp(eventsEach, order => oldEvent(scene, role, { order, createdAt, eventsEach })),
  );
}

function successes(scene: Scene, role: Role, items: number): number {
  let count = 0;
  for (let order = 1; order <= items; order += 1) if (statusOf(scene, role, order) === 'Success') count += 1;
  return count;
}

function oldEvent(scene: Scene, role: Role, place: { order: number; createdAt: Nanos; eventsEach: number }): SimEvent {
  const { order, createdAt, eventsEach } = place;
  const at = createdAt + BigInt(order) * gap;
  if (order === 0) return lineEvent(scene, role, { order, at, text: 'Restore session started' });
  if (order === eventsEach - 1) {
    const end = at + BigInt(longestSeconds) * 1_000_000_000n;
    return lineEvent(scene, role, { order, at: end, text: 'Restore session completed' });
  }
  return itemEvent(scene, role, { order, startedAt: at, longestSeconds });
}

/** Events that are made when they are asked for, not kept. */
function madeUp(length: number, eventAt: (order: number) => SimEvent): Events {
  const index = (place: number): number => Math.min(Math.max(place < 0 ? length + place : place, 0), length);
  return {
    length,
    slice: (from = 0, to = length) =>
      Array.from({ length: Math.max(0, index(to) - index(from)) }, (_, offset) => eventAt(index(from) + offset)),
  };
}
