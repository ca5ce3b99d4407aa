import { formatInstant, type Nanos } from '../model/time.js';
import type { SimulatedVersion, Quirks } from './quirks.js';

/** How instants are written: `native` depends on the API version. */
type TimeStyle = Pick<Quirks, 'times' | 'offsetMinutes' | 'trimFractions'>;

/** An instant as a server of that version writes it: .NET round-trip format, 0 to 7 fraction digits. */
export function writeInstant(at: Nanos, version: SimulatedVersion, style: TimeStyle): string {
  const minutes = style.times === 'native' && version <= 5 ? style.offsetMinutes : 0;
  const text = formatInstant(at + BigInt(minutes) * 60_000_000_000n).slice(0, -1);
  const trimmed = style.trimFractions ? text.replace(/\.?0+$/, '') : text;
  return trimmed + (style.times === 'bare' ? '' : zone(minutes));
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

/** A length as .NET TimeSpan "c": `[-][d.]hh:mm:ss[.fffffff]`, all seven fraction digits or none. */
export function writeTimeSpan(length: Nanos): string {
  const ticks = (length < 0n ? -length : length) / 100n;
  const seconds = Number(ticks / 10_000_000n);
  const fraction = Number(ticks % 10_000_000n);
  const days = Math.floor(seconds / 86_400);
  const time = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(part => pad(part, 2));
  return `${length < 0n ? '-' : ''}${days === 0 ? '' : `${String(days)}.`}${time.join(':')}${fraction === 0 ? '' : `.${pad(fraction, 7)}`}`;
}

const pad = (count: number, width: number): string => String(count).padStart(width, '0');
