import type { HrTime } from '@opentelemetry/api';
import type { Nanos } from '../model/time.js';

/** Unsigned 64 bits are what OTLP has for a time; half of them, what most backends read. 2262 is far enough. */
const end = 2n ** 63n;

/** To the nanosecond. What is no time of ours (year 1, year 9999) becomes 0, OTLP's word for unknown. */
export function hrTime(at: Nanos): HrTime {
  if (at < 0n || at >= end) return [0, 0];
  return [Number(at / 1_000_000_000n), Number(at % 1_000_000_000n)];
}
