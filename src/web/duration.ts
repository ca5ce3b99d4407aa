const scales = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** Milliseconds in the largest unit of which they are at least two, so that it is never off by half; else in seconds. */
export function duration(ms: number): string {
  const [unitMs, unit] = scales.find(([scaleMs]) => ms >= 2 * scaleMs) ?? [1000, 's'];
  return `${String(Math.max(0, Math.floor(ms / unitMs)))} ${unit}`;
}
