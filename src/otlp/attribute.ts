import type { PersonalClass } from '../model/personal-data.js';
import type { Redact } from './redaction.js';

type Value = string | number | undefined;

/** An attribute of a log record or span as data: what it is called, what it holds, and where it comes from. */
export type Attribute<Subject> = Readonly<{
  name: string;
  type: 'string' | 'int' | 'double';
  help: string;
  example: string | number;
  /** The classes of personal data that may be in it; absent for none. The strictest choice of the operator counts. */
  holds?: readonly PersonalClass[];
  /** Undefined and `''`: there is no such attribute. */
  of: (subject: Subject) => Value;
}>;

/** What somebody wrote, or the server says of a failure: names of all kinds may be in it. */
export const freeText: readonly PersonalClass[] = ['person', 'item', 'path'];

/** A text is cut here, in UTF-16 units: a Windows path can have 32,767, and a backend may refuse a record for one of them. */
export const maxTextLength = 4_096;

/** Text as it may be sent: of bounded length, and Unicode, because a collector may refuse a batch for what is none. */
export const sendable = (text: string): string => text.slice(0, maxTextLength).toWellFormed();

/** Attributes by name. */
export type Attributes = Record<string, string | number>;

/** The attributes that have a value. */
export function attributesOf<Subject>(
  table: readonly Attribute<Subject>[],
  subject: Subject,
  redact: Redact,
): Attributes {
  const attributes: Attributes = {};
  for (const { name, of, holds = [] } of table) {
    const value = of(subject);
    const told = typeof value === 'string' ? redact(value, holds) : value;
    if (told !== undefined) attributes[name] = typeof told === 'string' ? sendable(told) : told;
  }
  return attributes;
}
