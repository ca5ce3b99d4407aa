/** The value below which so many of a hundred lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 50);

/** The value of a flag such as `--url http://127.0.0.1`; `''` when it is not there. */
export function text(name: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? '' : (process.argv[at + 1] ?? '');
}

/** The value of a flag such as `--events 200`. @throws when it is not a number, or below 0. */
export function flag(name: string, fallback: number): number {
  if (!process.argv.includes(`--${name}`)) return fallback;
  const value = Number(text(name) || Number.NaN);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`"--${name}" wants a number, not "${text(name)}"`);
}

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
