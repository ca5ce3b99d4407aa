import { milliseconds, type Nanos } from '../../src/model/time.js';
import type { Organization } from '../../src/simulator/cast.js';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { between, dice, pick, type Some } from '../../src/simulator/random.js';
import { itemEvent, lineEvent, type Role, roleOf, type Scene, sessionOf } from '../../src/simulator/script.js';
import type { World } from '../../src/simulator/world.js';

/** Something that happens in a world at its time. */
type Step = Readonly<{ atMs: number; run: (world: World) => void }>;

/** What happens on a server, as people work: much by day, little in the evening, nothing at night and on weekends. */
export type OfficeHours = Readonly<{
  seed: number;
  organizations: Some<Organization>;
  fromMs: number;
  untilMs: number;
  /** Sessions in a busy hour. */
  sessionsPerHour: number;
  /** Whether some work in the evening and at weekends. Default true. */
  overtime?: boolean;
}>;

const hourMs = 3_600_000;
const quirks = { ...defaultQuirks, oddNames: false };

/** Sessions of an hour of the day, as a part of those of a busy hour (UTC). */
function rush(atMs: number, overtime: boolean): number {
  const at = new Date(atMs);
  const hour = at.getUTCHours();
  // A session that begins before 15:00 ends before 19:00.
  if (!overtime && (hour >= 15 || at.getUTCDay() % 6 === 0)) return 0;
  if (at.getUTCDay() % 6 === 0) return hour === 11 ? 0.15 : 0;
  if (hour < 7 || hour >= 20) return 0;
  if (hour === 12) return 0.4;
  return hour >= 17 ? 0.25 : 1;
}

/** Makes everything happen that is due until a time, each thing once, in order. */
export interface Script {
  advance(world: World, nowMs: number): void;
}

/** A script of sessions with their events; the same for the same seed. */
export function officeHours(options: OfficeHours): Script {
  const steps = play(options).toSorted((a, b) => a.atMs - b.atMs);
  let next = 0;
  return {
    advance: (world, nowMs) => {
      for (let step = steps[next]; step !== undefined && step.atMs <= nowMs; step = steps[next]) {
        next += 1;
        step.run(world);
      }
    },
  };
}

function play({
  seed,
  organizations,
  fromMs,
  untilMs,
  sessionsPerHour,
  overtime = true,
}: OfficeHours): readonly Step[] {
  const random = dice(seed, 41);
  const steps: Step[] = [];
  let number = 0;
  for (let hour = fromMs; hour < untilMs; hour += hourMs) {
    const busy = sessionsPerHour * rush(hour, overtime);
    const count = Math.floor(busy) + (random() < busy % 1 ? 1 : 0);
    for (let index = 0; index < count; index += 1) {
      const scene = { seed, number, quirks };
      number += 1;
      const role = { ...roleOf(scene), organization: pick(random, organizations) };
      steps.push(...sessionSteps(scene, calmed(role, random), hour + Math.floor(random() * hourMs)));
    }
  }
  return steps;
}

/** People would not go on with a product of which every fifth session fails. */
const calmed = (role: Role, random: () => number): Role =>
  role.result === 'Failed' && random() < 0.5 ? { ...role, result: 'Success' } : role;

const at = (ms: number): Nanos => milliseconds(Math.floor(ms));

function sessionSteps(scene: Scene, role: Role, fromMs: number): readonly Step[] {
  const random = dice(scene.seed, scene.number, 42);
  const items = between(random, 2, 14);
  const append = (order: number, ms: number, text: string): Step => ({
    atMs: ms,
    run: world => world.appendEvent(role.id, lineEvent(scene, role, { order, at: at(ms), text })),
  });
  const steps: Step[] = [
    { atMs: fromMs, run: world => world.addSession(sessionOf(scene, role, at(fromMs))) },
    append(0, fromMs, 'Restore session started'),
  ];
  let ms = fromMs + 20_000;
  for (let order = 1; order <= items; order += 1) {
    const event = itemEvent(scene, role, { order, startedAt: at(ms), longestSeconds: 600 });
    const endMs = Number((event.endedAt ?? event.startedAt) / 1_000_000n) + 1;
    steps.push({ atMs: endMs, run: world => world.appendEvent(role.id, event) });
    ms = endMs + 5_000 + random() * 120_000;
  }
  const stopMs = ms + random() * 900_000;
  const endedAt = at(stopMs);
  steps.push(append(items + 1, stopMs, 'Restore session completed'), {
    atMs: stopMs,
    run: world => world.stopSession(role.id, { endedAt, details: `${String(items)} items processed` }),
  });
  return steps;
}
