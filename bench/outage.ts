// A receiver of log records that is down for 24 hours of simulated time, with many events behind it.
// node dist/bench/outage.js [--events 200000]
import { outage } from '../test/support/outage.js';
import { systemClock } from '../src/kernel/clock.js';
import { flag, say } from './stats.js';

const perSession = 200;
const sessions = Math.ceil(flag('events', 200_000) / perSession);
const textSize = 1_500;
const startedMs = systemClock.monotonic();
const day = await outage({ sessions, perSession, textSize, stepMs: 30_000 });
const events = sessions * perSession;
const inOrder = day.arrived.length === events && day.arrived.every((number, index) => number === index);
const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
say(`${String(events)} events in ${String(sessions)} sessions, texts of ${megabytes(events * textSize)} MB`);
say(`refused requests in 24 hours: ${String(day.refused)}; sessions that wait then: ${String(day.backlog)}`);
say(`most events that metrics were behind after a poll interval of 30 s: ${String(day.mostBehind)}`);
say(`heap, from the first hour to the last: ${megabytes(day.grownBytes)} MB more`);
say(
  `arrived afterwards: ${String(day.arrived.length)}, ${inOrder ? 'each once, oldest first' : 'NOT each once in order'}`,
);
say(`took ${((systemClock.monotonic() - startedMs) / 1000).toFixed(0)} s`);
