#!/usr/bin/env node
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Required by `node:sqlite` without a flag, and by undici 8. */
const oldestNode = 24;

if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  process.stderr.write(
    `vb365-exporter needs Node ${String(oldestNode)} or later, this is ${process.versions.node}. ` +
      `Run "npm install node@${String(oldestNode)}" in the same project, then "npx vb365-exporter"\n`,
  );
  process.exit(1);
}

/** By how many percent the heap may grow between two collections, by the resident memory in MiB from which on it holds. */
const heapGrowth = [
  [220, 5],
  [200, 20],
  [0, 100],
] as const;
/** Two halves, as with `--max-semi-space-size=16`, which V8 reads only at its start. */
const largestYoungBytes = 2 * 16 * 1024 * 1024;

// Node would let the heap grow to a multiple of what is in use before it collects garbage (ADR 81, ADR 83).
function limitHeapGrowth(): void {
  const residentMebi = process.memoryUsage.rss() / 1024 / 1024;
  const [, percent = 100] = heapGrowth.find(([from]) => residentMebi >= from) ?? [];
  setFlagsFromString(`--heap-growing-percent=${String(percent)}`);
}
limitHeapGrowth();
setInterval(limitHeapGrowth, 500).unref();

function limitYoungGeneration(): void {
  const youngBytes = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
  setFlagsFromString(`--semi-space-growth-factor=${youngBytes < largestYoungBytes ? '2' : '1'}`);
}
new PerformanceObserver(limitYoungGeneration).observe({ type: 'gc' });

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}

// A reader that has gone, or a full disk, must not end the program: it goes on without those lines.
const outputClosed = new AbortController();
process.stdout.on('error', error => outputClosed.abort(error));
process.stderr.on('error', () => undefined);

/** How much of the log waits for a reader that does not read; further lines are dropped. */
const maxUnreadBytes = 1024 * 1024;

function printError(line: string): void {
  if (process.stderr.writableLength < maxUnreadBytes) process.stderr.write(line.endsWith('\n') ? line : `${line}\n`);
}

/** Until standard output takes lines again. */
async function drained(): Promise<void> {
  const signal = AbortSignal.any([stop.signal, outputClosed.signal]);
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain', { signal }).catch(() => undefined);
}

// undici calls its decompression experimental, which concerns developers and not operators. Other warnings are printed.
const printWarning = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', warning => {
  if (warning.name !== 'ExperimentalWarning') for (const print of printWarning) print(warning);
});

// Imported after the check, because an older Node cannot parse it.
const { runCli } = await import('./cli/program.js');

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  print: line => void process.stdout.write(`${line}\n`),
  drained,
  printError,
  input: () => process.stdin,
  ...(process.stderr.isTTY ? { progress: (text: string) => void process.stderr.write(`\r\x1b[K${text}`) } : {}),
  outputClosed: outputClosed.signal,
  stop: stop.signal,
  onReload: listener => void process.on('SIGHUP', listener),
  version: version(),
});

// Lines that nobody reads must not keep a process that was stopped.
if (stop.signal.aborted) setTimeout(() => process.exit(), 1_000).unref();

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
