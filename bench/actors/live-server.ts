// A simulated server in its own process, with events in its open sessions. Says its address; `go <seconds>`: events
// happen for so long, then it says so; `count`: how many requests it has had; `book`: every event, and when it ended.
// What happens depends on the seed alone. Its change feed reports sessions, not their events: nothing proves that real
// ones do.
// node dist/bench/actors/live-server.js --open 20 --old 500 --each 10 --days 30 --rate 2 [--seed 1]
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { dice } from '../../src/simulator/random.js';
import { itemEvent, roleOf, type Scene, sessionOf } from '../../src/simulator/script.js';
import { simulate } from '../../src/simulator/simulate.js';
import { obey, report } from '../rig/actor.js';
import { flag } from '../rig/stats.js';

const [seed, rate] = [flag('seed', 1), flag('rate', 2)];
const quirks = { ...defaultQuirks, silentEvents: true };
/** After so many events the session that is open the longest stops, and another one begins. */
const eventsPerSession = 25;

let requests = 0;
const { world, url } = await simulate({
  clock: systemClock,
  seed,
  quirks,
  history: { sessions: flag('old', 0), eventsEach: flag('each', 10), days: flag('days', 30) },
  intercept: (_, { proceed }) => {
    requests += 1;
    proceed();
  },
});

const now = () => milliseconds(systemClock.now());
const open: Scene[] = [];
let number = 0;

function begin(): Scene {
  const scene = { seed, number, quirks };
  number += 1;
  open.push(scene);
  world.addSession(sessionOf(scene, roleOf(scene), now()));
  return scene;
}

function append(scene: Scene): void {
  const role = roleOf(scene);
  const order = world.events(role.id).length;
  world.appendEvent(role.id, itemEvent(scene, role, { order, startedAt: now(), longestSeconds: 0 }));
}

function replaceOldest(): void {
  const oldest = open.shift();
  if (oldest !== undefined) world.stopSession(roleOf(oldest).id, { endedAt: now() });
  begin();
}

/** Each thing at its time, however late the timer is. */
async function go(seconds: number): Promise<void> {
  const [random, startedMs] = [dice(seed, 77), systemClock.monotonic()];
  for (let count = 1; count <= seconds * rate; count += 1) {
    const dueMs = startedMs + ((count - random()) * 1_000) / rate;
    // oxlint-disable-next-line no-await-in-loop -- time goes by between events
    await systemClock.sleep(Math.max(0, dueMs - systemClock.monotonic()), new AbortController().signal);
    const scene = open[Math.floor(random() * open.length)];
    if (scene !== undefined) append(scene);
    if (count % eventsPerSession === 0) replaceOldest();
  }
  report({ done: true });
}

// The n-th of the open sessions has three times n events already, so that some have more than a page of 30.
for (let index = 0; index < flag('open', 0); index += 1) {
  const scene = begin();
  for (let event = 0; event < 3 * index; event += 1) append(scene);
}
obey({
  go: rest => void go(Number(rest)),
  count: () => report({ requests }),
  book: () => {
    const events = [...world.book()].map(({ event }) => [event.id, Number((event.endedAt ?? 0n) / 1_000_000n)]);
    report(events);
  },
});
report({ url });
