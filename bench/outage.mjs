// A log receiver that is down for 24 hours, with 200,000 events behind it, on a simulated clock. Run: npm run bench:outage
import { outage } from '../dist/test/support/outage.js';

const events = 200_000;
const { refused, mostBehind, grownBytes, arrived } = await outage(200, events / 200);
const inOrder = arrived.length === events && arrived.every((number, index) => number === index);
const report = { events, refused, mostBehind, grownMegabytes: Math.round(grownBytes / 1e5) / 10, inOrder };
process.stdout.write(`${JSON.stringify(report)}\n`);
const kept = inOrder && mostBehind === 0 && grownBytes < 40e6 && refused <= 24 * 60 + 20;
process.exitCode = kept ? 0 : 1;
