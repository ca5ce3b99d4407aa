import type { PersonalClass } from '../model/personal-data.js';
import type { Redact } from './redaction.js';

/** An attribute of a log record or span: its name, documentation and value. */
export type Attribute<Subject> = Readonly<{
  name: string;
  help: string;
  /** Documented together with its type. */
  example: string | number | boolean;
  /** The classes of personal data that the value may hold. The strictest choice of the operator applies. */
  holds?: readonly PersonalClass[];
  /** Undefined and `''`: the attribute is left out. */
  of: (subject: Subject) => string | number | boolean | undefined;
}>;

/** Text written by a person, or an error message of the server: it may hold names of any kind. */
export const freeText: readonly PersonalClass[] = ['person', 'item', 'path'];

/** Texts are cut here, in UTF-16 units. A Windows path can have 32,767, for which a backend may refuse the record. */
export const maxTextLength = 4_096;

/** Cuts a text and replaces lone surrogates: a collector may refuse a batch that holds invalid Unicode. */
export const sendable = (text: string): string => text.slice(0, maxTextLength).toWellFormed();

/** Attribute values by name. */
export type Attributes = Record<string, string | number | boolean>;

const nothing: readonly PersonalClass[] = [];

/** The attributes that have a value, added to `attributes`. */
export function attributesOf<Subject>(
  table: readonly Attribute<Subject>[],
  subject: Subject,
  redact: Redact,
  attributes: Attributes = {},
): Attributes {
  for (const { name, of, holds = nothing } of table) {
    const value = of(subject);
    const shown = typeof value === 'string' ? redact(value, holds) : value;
    if (shown !== undefined) attributes[name] = typeof shown === 'string' ? sendable(shown) : shown;
  }
  return attributes;
}

/** The attributes of a record or span alone, and the objects that it shares with others: those of its owner and its session. */
export type RecordAttributes = Readonly<{ own: Attributes; shared: readonly Readonly<Attributes>[] }>;

export const merged = ({ own, shared }: RecordAttributes): Attributes =>
  shared.reduce((all, some) => ({ ...all, ...some }), own);

/** `attributesOf` for what many records share, such as their session: one table for each kind of subject. */
export type SharedAttributes = <Subject extends object>(
  table: readonly Attribute<Subject>[],
  subject: Subject,
) => Readonly<Attributes>;

/** Computes attributes once for each subject. */
export function sharedAttributes(redact: Redact): SharedAttributes {
  const known = new WeakMap<object, Attributes>();
  return (table, subject) => {
    const attributes = known.get(subject) ?? attributesOf(table, subject, redact);
    known.set(subject, attributes);
    return attributes;
  };
}
