// Preloaded into the exporter: writes how long the event loop was busy between two timers, in ms, if that was long, behind
// the time. CPU time, because on a busy machine a process also waits for its turn.
import { appendFileSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { systemClock } from '../../../src/kernel/clock.js';

const file = process.env['LONG_TURNS_FILE'] ?? '';
const longMs = 100;
let last = process.threadCpuUsage();

setInterval(() => {
  const now = process.threadCpuUsage();
  const busyMs = (now.user + now.system - last.user - last.system) / 1_000;
  last = now;
  if (busyMs >= longMs) appendFileSync(file, `${String(systemClock.now())} ${String(busyMs)}\n`);
}, 5).unref();
