// An exporter's metrics in its own process: served over HTTP, while events flow in through the metrics sink and the
// state file. Says its address; answers `start` when it has begun to measure the delay of its event loop, and `stop` with
// what it has found, in milliseconds, and how many events it took in that time.
// node dist/bench/actors/scraped.js --servers 60 --events-a-second 5000
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../src/kernel/clock.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { serve } from '../../test/support/web.js';
import { makeHome } from '../rig/exporter.js';
import { busyMetrics, deltasOf, manyEvents, serverName, workOn } from '../rig/many-series.js';
import { obey, report } from '../rig/actor.js';
import { flag } from '../rig/stats.js';

const servers = flag('servers', 1);
const eventsASecond = flag('events-a-second', 5_000);
const everyMs = 50;
const never = new AbortController().signal;

const home = makeHome();
const store = await sqliteStore({ path: home.state });
const metrics = await busyMetrics(servers, systemClock.now());
const web = await serve({
  metrics: async format => ({ ...(await metrics.exposition(format)), delivered: () => undefined }),
});
const delay = monitorEventLoopDelay({ resolution: 1 });
const ending = new AbortController();
let taken = 0;

/** One batch of one server after the other, as the lines of the servers commit them. */
async function flow(): Promise<void> {
  const each = Math.round((eventsASecond * everyMs) / 1000);
  for (let n = 0; !ending.signal.aborted; n += 1) {
    const server = serverName(n % servers);
    const deltas = await deltasOf(server, manyEvents(taken, each, systemClock.now()));
    await store.commit({ server, deltas });
    metrics.stored.apply(deltas);
    workOn(metrics, server);
    taken += each;
    await systemClock.sleep(everyMs, never);
  }
}

const flowing = flow();
obey({
  start: () => {
    delay.enable();
    delay.reset();
    taken = 0;
    report({ began: true });
  },
  stop: () => {
    delay.disable();
    report({ p999: delay.percentile(99.9) / 1e6, events: taken });
  },
});
process.once('SIGTERM', () => {
  ending.abort();
  void flowing.then(async () => {
    await Promise.all([web.close(), store.close()]);
    home.remove();
    process.exit();
  });
});
report({ url: `http://127.0.0.1:${String(web.port)}/metrics` });
