/**
 * Nanoseconds, whole: since the Unix epoch (UTC) for an instant, a length for a duration. The API counts in ticks of
 * 100 ns, which neither a `Date` (1 ms) nor a number (2^53) can hold.
 */
export type Nanos = bigint;

const perSecond = 1_000_000_000n;

export const seconds = (count: number): Nanos => BigInt(Math.round(count * 1e9));
export const milliseconds = (count: number): Nanos => BigInt(Math.round(count)) * 1_000_000n;

/** For a metric, in seconds; exact to about 0.2 us for an instant of our days. */
export const toSeconds = (nanos: Nanos): number => Number(nanos / perSecond) + Number(nanos % perSecond) / 1e9;

/** An instant as the API wrote it; `offset` tells whether the text said which zone it means. */
export type ParsedInstant = Readonly<{ at: Nanos; offset: boolean }>;

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/i;

/**
 * Reads a .NET round-trip time: 0 to 7 fraction digits, `Z`, an offset, or neither (then taken as UTC).
 * Undefined when it is no such time, or one that no calendar has (month 13, 31 April, 25 o'clock).
 *
 * The pattern only says whether it is one; its numbers stand at fixed places, and are read there in little more than
 * half of the time that eight captures take.
 */
export function parseInstant(text: string): ParsedInstant | undefined {
  if (!instantPattern.test(text)) return undefined;
  const days = civilDays(twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8));
  const time = clockSeconds(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17));
  const zoneAt = text.charAt(19) === '.' ? endOfDigits(text, 20) : 19;
  const zone = offsetSeconds(text.slice(zoneAt) || 'Z');
  if (days === undefined || time === undefined || zone === undefined) return undefined;
  const at = BigInt(days * 86_400 + time - zone) * perSecond + fraction(text.slice(20, zoneAt));
  return { at, offset: zoneAt < text.length };
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** The number that two digits make. */
const twoDigits = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

/** Writes an instant as the API takes it: UTC, 7 fraction digits. */
export function formatInstant(at: Nanos): string {
  const whole = at / perSecond - (at % perSecond < 0n ? 1n : 0n);
  const ticks = (at - whole * perSecond) / 100n;
  return new Date(Number(whole) * 1000).toISOString().replace('.000Z', `.${String(ticks).padStart(7, '0')}Z`);
}

const timeSpanPattern = /^(-)?(?:(\d{1,8})\.)?(\d\d?):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;

/** Reads a .NET TimeSpan, format "c": `[-][d.]hh:mm:ss[.fffffff]`. Undefined when it is none. */
export function parseTimeSpan(text: string): Nanos | undefined {
  const match = timeSpanPattern.exec(text);
  if (match === null) return undefined;
  const time = clockSeconds(Number(match[3]), Number(match[4]), Number(match[5]));
  if (time === undefined) return undefined;
  const length = BigInt(Number(match[2] ?? 0) * 86_400 + time) * perSecond + fraction(match[6]);
  return match[1] === undefined ? length : -length;
}

/** Nanoseconds behind the point; `''` and undefined for none. */
const fraction = (digits = ''): Nanos => (digits === '' ? 0n : BigInt(Number(digits.padEnd(9, '0'))));

function offsetSeconds(zone: string): number | undefined {
  if (zone.length === 1) return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/** Days from the epoch to a date; undefined when the calendar does not have it. */
const civilDays = (year: number, month: number, day: number): number | undefined =>
  day < 1 || day > monthLength(year, month) ? undefined : daysFromCivil(year, month, day);

/** Seconds from midnight; undefined when no clock shows that. */
const clockSeconds = (hours: number, minutes: number, secs: number): number | undefined =>
  hours > 23 || minutes > 59 || secs > 59 ? undefined : hours * 3600 + minutes * 60 + secs;

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const monthLength = (year: number, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;

/** Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
