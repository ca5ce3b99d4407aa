import { type PersonalClass, type PersonalData, treatmentOf } from '../model/personal-data.js';

/** A text as far as the operator allows it; undefined when it must be left out. `classes` is what it may hold. */
export type Redact = (text: string, classes: readonly PersonalClass[]) => string | undefined;

/** @param hash keyed with the operator's key: the same text has the same hash in every record and span. */
export function redacting(choice: PersonalData, hash: (text: string) => string): Redact {
  return (text, classes) => {
    if (text === '') return undefined;
    const treatment = treatmentOf(choice, classes);
    if (treatment === 'drop') return undefined;
    return treatment === 'hash' ? hash(text) : text;
  };
}
