// A simulated server in a process of its own: says its address, holds the first list of sessions back until it is told
// `go`, and answers `count` with how many requests for pages of events it has had.
// node dist/bench/actors/server.js --sessions 100 --events 5000 [--hold 1]
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { flag, say } from '../rig/stats.js';

const gate = Promise.withResolvers<void>();
if (flag('hold', 0) === 0) gate.resolve();
const simulator = await simulate({
  clock: systemClock,
  history: { sessions: flag('sessions', 0), eventsEach: flag('events', 1), days: 1 },
  intercept: async ({ route }, { proceed }) => {
    if (route === '/RestoreSessions') await gate.promise;
    proceed();
  },
});
say(JSON.stringify({ url: simulator.url }));
const answers: Readonly<Record<string, () => void>> = {
  go: () => gate.resolve(),
  count: () => say(JSON.stringify({ pages: simulator.traffic.count('/RestoreSessions/{id}/Events') })),
};
createInterface(process.stdin).on('line', line => answers[line]?.());
