// A simulated server in its own process: says its address, holds the first list of sessions back until it receives
// `go`. `add <sessions> <events>` makes more stopped sessions happen; `append` adds an event to a session that is open from the first one on.
// node dist/bench/actors/server.js --sessions 100 --events 5000 [--days 1] [--hold 1]
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { writeHistory } from '../../src/simulator/history.js';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { simulate } from '../../src/simulator/simulate.js';
import { obey, report } from '../rig/actor.js';
import { flag } from '../rig/stats.js';

const gate = Promise.withResolvers<void>();
if (flag('hold', 0) === 0) gate.resolve();
const simulator = await simulate({
  clock: systemClock,
  history: { sessions: flag('sessions', 0), eventsEach: flag('events', 1), days: flag('days', 1) },
  intercept: async ({ route }, { proceed }) => {
    if (route === '/RestoreSessions') await gate.promise;
    proceed();
  },
});
const { world, url } = simulator;
report({ url });

const now = () => milliseconds(systemClock.now());
let additions = 1;
/** Another seed makes other sessions. */
function add(sessions = 0, eventsEach = 0): void {
  additions += 1;
  writeHistory(world, { sessions, eventsEach, days: 0.01 }, { seed: additions, quirks: defaultQuirks, now: now() });
}

let open: string | undefined;
function append(): void {
  open ??= world.addSession({ createdAt: now() }).id;
  world.appendEvent(open, { startedAt: now(), type: 'Restore', status: 'Success' });
}

obey({
  go: () => gate.resolve(),
  add: rest => add(...rest.split(' ').map(Number)),
  append,
});
