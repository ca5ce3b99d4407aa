/**
 * Whole nanoseconds: since the Unix epoch (UTC) for an instant, a length for a duration. The API counts in ticks of
 * 100 ns, which neither a `Date` (1 ms) nor a number (2^53) can hold.
 */
export type Nanos = bigint;

const perSecond = 1_000_000_000n;

export const seconds = (count: number): Nanos => BigInt(Math.round(count * 1e9));
export const milliseconds = (count: number): Nanos => BigInt(Math.round(count)) * 1_000_000n;

/** For metrics; exact to about 0.2 us for an instant of our days. */
export const toSeconds = (nanos: Nanos): number => Number(nanos / perSecond) + Number(nanos % perSecond) / 1e9;

/** An instant as the API wrote it. `offset`: the text named its zone. */
export type ParsedInstant = Readonly<{ at: Nanos; offset: boolean }>;

const instantPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/i;

/**
 * Parses a .NET round-trip time: 0 to 9 fraction digits, then `Z`, an offset, or neither (UTC). Undefined for anything
 * else, and for a time that does not exist (month 13, 31 April, 25 o'clock).
 */
export function parseInstant(text: string): ParsedInstant | undefined {
  const match = instantPattern.exec(text);
  if (match === null) return undefined;
  const whole = secondsAt(match[1] ?? '');
  if (whole === undefined) return undefined;
  return {
    at: BigInt(whole - offsetSeconds(match[3])) * perSecond + fraction(match[2]),
    offset: match[3] !== undefined,
  };
}

/** Seconds of `2006-01-02T15:04:05` in UTC. `Date` carries 31 April over to May and 24 o'clock to the next day. */
function secondsAt(text: string): number | undefined {
  const date = new Date(`${text}Z`);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date.getTime() / 1000 : undefined;
}

function offsetSeconds(zone = 'Z'): number {
  if (zone.length === 1) return 0;
  const length = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60;
  return zone.startsWith('-') ? -length : length;
}

/** Nanoseconds for the digits after the point. */
const fraction = (digits = ''): Nanos => BigInt(digits.padEnd(9, '0'));

/** Formats an instant for the API: UTC, 7 fraction digits. */
export function formatInstant(at: Nanos): string {
  const whole = at / perSecond - (at % perSecond < 0n ? 1n : 0n);
  const ticks = (at - whole * perSecond) / 100n;
  return new Date(Number(whole) * 1000).toISOString().replace('.000Z', `.${String(ticks).padStart(7, '0')}Z`);
}

const timeSpanPattern = /^(-)?(?:(\d{1,8})\.)?([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?$/;

/** Parses a .NET TimeSpan, format "c": `[-][d.]hh:mm:ss[.fffffff]`. Undefined for anything else. */
export function parseTimeSpan(text: string): Nanos | undefined {
  const match = timeSpanPattern.exec(text);
  if (match === null) return undefined;
  const hours = Number(match[2] ?? 0) * 24 + Number(match[3]);
  const whole = (hours * 60 + Number(match[4])) * 60 + Number(match[5]);
  const length = BigInt(whole) * perSecond + fraction(match[6]);
  return match[1] === undefined ? length : -length;
}
