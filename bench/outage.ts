// A receiver of log records that is down for 24 hours of simulated time, with many events behind it.
// npm run bench -- outage [--events 200000]
import { outage as dayWithoutReceiver } from '../test/support/outage.js';
import { type Section, table } from './rig/report.js';
import { flag } from './rig/stats.js';

const perSession = 200;
const textSize = 1_500;

const whole = (count: number): string => count.toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

export async function outage(): Promise<Section> {
  const sessions = Math.ceil(flag('events', 200_000) / perSession);
  const day = await dayWithoutReceiver({ sessions, perSession, textSize, stepMs: 30_000 });
  const events = sessions * perSession;
  const inOrder = day.arrived.length === events && day.arrived.every((number, index) => number === index);
  const rows = [
    ['events, sessions, text of the events', `${whole(events)}, ${whole(sessions)}, ${megabytes(events * textSize)}`],
    ['requests that the receiver refused in 24 h', whole(day.refused)],
    [
      'heap growth from the end of the first hour to the end of the last, after a collection',
      megabytes(day.grownBytes),
    ],
    ['events that the second sink lagged behind, one poll after their arrival', whole(day.mostBehind)],
    ['sessions in the backlog at the end of the outage', whole(day.backlog)],
    [
      'events that arrived after the outage',
      `${whole(day.arrived.length)}, ${inOrder ? 'each once, oldest first' : 'NOT each once in order'}`,
    ],
  ];
  return {
    title: 'A receiver that is down for 24 hours',
    body: `${introduction}\n\n${table(['what', 'figure'], rows)}`,
  };
}

const introduction = `A day on a simulated clock: one server, stopped sessions of 200 events of 1,500 characters that arrive evenly, a poll every 30 s, a
log sink whose receiver answers 503 over real HTTP, without \`Retry-After\`, for the whole day, and a second sink that accepts
everything, as metrics do.`;
