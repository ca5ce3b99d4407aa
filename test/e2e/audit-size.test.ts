import { expect, test } from '@jest/globals';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory } from '../../src/history/reader.js';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { keep, sentWith } from '../support/audited.js';
import { inFolder } from '../support/folder.js';
import { simulatedPast } from '../support/past-source.js';
import { collectorLine } from '../support/stored-logs.js';
import { eventually, freePort, getText, startProgram } from './support/running.js';

const main = 'dist/src/main.js';
const [maxMs, maxBytes] = [60_000, 300_000_000];

/** Writes what a Collector would have of the history until now, in lines of 500 records. Returns their number. */
async function writeRecords(file: string, url: string): Promise<number> {
  const descriptor = openSync(file, 'w');
  const source = simulatedPast(url, { resolveOwners: true });
  let count = 0;
  try {
    const window = { from: 0n, to: milliseconds(systemClock.now()) };
    for await (const part of readHistory(source, { window, signal: new AbortController().signal })) {
      const records = sentWith(keep, [part]);
      count += records.length;
      writeSync(descriptor, `${collectorLine(records, 'hq')}\n`);
    }
  } finally {
    await source.close();
    closeSync(descriptor);
  }
  return count;
}

/** The most that was resident at once so far, by the kernel. */
const peakBytes = (pid: number): number =>
  1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);

test('an audit of 100,000 records takes less than 60 s and 300 MB in plain Node', async () => {
  await inFolder(async folder => {
    const port = await freePort();
    const past = ['--sessions', '200', '--events', '500'];
    const simulator = startProgram({
      path: process.execPath,
      args: [main, 'simulate', '--port', String(port), ...past],
    });
    try {
      const url = `http://127.0.0.1:${String(port)}`;
      await eventually('the simulator answers', async () => ((await getText(url)).status > 0 ? true : undefined));
      const [config, records] = [join(folder, 'config.yaml'), join(folder, 'records.jsonl')];
      writeFileSync(join(folder, 'password'), 'simulator');
      const server = { name: 'hq', url, username: 'simulator', password_file: 'password' };
      writeFileSync(config, JSON.stringify({ servers: [server] }));
      expect(await writeRecords(records, url)).toBeGreaterThanOrEqual(100_000);
      const startedMs = systemClock.monotonic();
      const audit = startProgram({
        path: process.execPath,
        args: [main, 'audit', '--config.file', config, '--records', records],
      });
      let peak = 0;
      await eventually(
        'the audit ends',
        () => {
          if (audit.alive()) peak = Math.max(peak, peakBytes(audit.pid ?? 0));
          return audit.alive() ? undefined : true;
        },
        3 * maxMs,
      );
      const tookMs = systemClock.monotonic() - startedMs;
      expect(audit.output()).toMatch(/^Complete: (\d{6}) of \1 records; 0 missing, 0 altered, 0 repeated, 0 unknown$/m);
      expect(peak).toBeGreaterThan(50_000_000);
      expect({ peakBytes: peak, isSmall: peak < maxBytes }).toMatchObject({ isSmall: true });
      expect({ tookMs, isFast: tookMs < maxMs }).toMatchObject({ isFast: true });
    } finally {
      await simulator.stop();
    }
  });
}, 400_000);
