import type { Nanos } from '../../src/model/time.js';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { between, dice } from '../../src/simulator/random.js';
import { itemEvent, type Role, roleOf, type Scene, sessionOf, whileRunning } from '../../src/simulator/script.js';
import type { SimEvent, World } from '../../src/simulator/world.js';

/** What goes on at a server while a test runs. The seed decides what; nothing happens by itself. */
export interface History {
  /** Opens the next session, which goes on for a minute or two. */
  open(now: Nanos): void;
  /** Makes happen what is due, each thing at its own time. */
  advance(now: Nanos): void;
  /** How many events have become readable as final ones. */
  finished(): number;
}

type Step = Readonly<{ at: Nanos; run: () => void }>;

/** Words of the API that no documentation has come in too. */
const quirks = { ...defaultQuirks, unknownValues: true };

const seconds = (count: number): Nanos => BigInt(Math.round(count * 1e7)) * 100n;
/** A session shows so many events, and changes no more than this long after its stop. */
const eventsEach = [20, 110] as const;
const latestSeconds = 30;

export function createHistory(world: World, seed: number): History {
  let agenda: Step[] = [];
  let opened = 0;
  let finished = 0;
  const count = (step: Step): Step => ({ ...step, run: () => ((finished += 1), step.run()) });
  return {
    open: now => {
      const { steps, endings } = playOf(world, { seed, number: opened, quirks }, now);
      opened += 1;
      agenda = [...agenda, ...steps, ...endings.map(count)].sort((a, b) => Number(a.at - b.at));
    },
    advance: now => {
      for (let step = agenda[0]; step !== undefined && step.at <= now; step = agenda[0]) {
        agenda.shift();
        step.run();
      }
    },
    finished: () => finished,
  };
}

/** All that happens in a session; `endings` are the steps that make an event readable as a final one. */
function playOf(world: World, scene: Scene, openAt: Nanos): Readonly<{ steps: Step[]; endings: Step[] }> {
  const role = roleOf(scene);
  const random = dice(scene.seed, scene.number, 41);
  const steps: Step[] = [{ at: openAt, run: () => void world.addSession(sessionOf(scene, role, openAt)) }];
  const endings: Step[] = [];
  const length = between(random, ...eventsEach);
  let at = openAt + seconds(random());
  for (let order = 0; order < length; order += 1) {
    at += seconds(random());
    const event = itemEvent(scene, role, { order, startedAt: at, longestSeconds: 5 });
    arrange({ world, role, event, fate: fateOf(random()) }, { steps, endings });
  }
  const endedAt = at + seconds(1);
  steps.push({ at: endedAt, run: () => void world.stopSession(role.id, { endedAt, result: role.result }) });
  for (let late = 0; late < 3 && random() < 0.3; late += 1) {
    const appendedAt = endedAt + seconds(1 + random() * (latestSeconds - 1));
    const event = itemEvent(scene, role, { order: length + late, startedAt: endedAt, longestSeconds: 0 });
    endings.push({ at: appendedAt, run: () => void world.appendEvent(role.id, event) });
  }
  return { steps, endings };
}

type Fate = 'at once' | 'running first' | 'late' | 'running for ever' | 'never';

function fateOf(draw: number): Fate {
  if (draw < 0.005) return 'running for ever';
  if (draw < 0.01) return 'never';
  if (draw < 0.05) return 'late';
  return draw < 0.2 ? 'running first' : 'at once';
}

type Cue = Readonly<{ world: World; role: Role; event: SimEvent; fate: Fate }>;

/** How an event comes to be read: at once, running for a while or for ever, behind later ones, or never. */
function arrange({ world, role, event, fate }: Cue, { steps, endings }: { steps: Step[]; endings: Step[] }): void {
  const { endedAt = event.startedAt, startedAt } = event;
  const append = (at: Nanos, one: SimEvent): Step => ({ at, run: () => void world.appendEvent(role.id, one) });
  const slow = { ...event, endedAt: endedAt + seconds(latestSeconds - 10) };
  if (fate === 'at once') endings.push(append(endedAt, event));
  if (fate === 'late') endings.push(append(slow.endedAt, event));
  if (fate === 'running first' || fate === 'running for ever') steps.push(append(startedAt, whileRunning(event)));
  if (fate === 'running first')
    endings.push({ at: slow.endedAt, run: () => void world.finishEvent(role.id, event.id, slow) });
}
