// Many simulated servers in one process: half speak v8, half v6, each with 50 stopped sessions, and every tenth with an
// open one as well, with `--idle 1` only from `go` on. Says their addresses; from `go` on an event comes up every ten seconds in
// each open session, until `halt`, which is answered with how many there were.
// node dist/bench/actors/servers.js --servers 100 [--idle 1]
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { obey, report } from '../rig/actor.js';
import { flag } from '../rig/stats.js';

const now = () => milliseconds(systemClock.now());
const hour = 3_600_000_000_000n;

async function startServer(index: number) {
  const version = index % 20 < 10 ? 8 : 6;
  const world = new World(index + 1);
  for (let n = 0; n < 50; n += 1) {
    const createdAt = now() - BigInt(n + 3) * hour;
    world.addSession({ createdAt, endedAt: createdAt + hour });
  }
  const { url } = await simulate({ clock: systemClock, world, seed: index + 1, versions: [version] });
  return { url, version: `v${String(version)}`, world };
}

const servers = await Promise.all(Array.from({ length: flag('servers', 1) }, async (_, index) => startServer(index)));
report({ servers: servers.map(({ url, version }) => ({ url, version })) });

const openSessions = () =>
  servers
    .filter((_, index) => index % 10 === 0)
    .map(({ world }) => ({ world, open: world.addSession({ createdAt: now() }).id }));
let busy = flag('idle', 0) > 0 ? [] : openSessions();
const halt = new AbortController();
let appended = 0;

/** Every second takes another tenth of the open sessions. */
async function appendUntilHalt(): Promise<void> {
  for (let second = 0; !halt.signal.aborted; second += 1) {
    for (const { world, open } of busy.filter((_, index) => index % 10 === second % 10)) {
      world.appendEvent(open, { startedAt: now(), type: 'Restore', status: 'Success' });
      appended += 1;
    }
    // oxlint-disable-next-line no-await-in-loop -- one second after the other
    await systemClock.sleep(1_000, halt.signal).catch(() => undefined);
  }
}

obey({
  go: () => {
    if (busy.length === 0) busy = openSessions();
    void appendUntilHalt();
  },
  halt: () => {
    halt.abort();
    report({ appended });
  },
});
