import { type PersonalClass, type PersonalData, treatmentOf } from '../model/personal-data.js';

/** Tells a text as far as the operator lets it be told; undefined when not at all. `classes` is what it may hold. */
export type Redact = (text: string, classes: readonly PersonalClass[]) => string | undefined;

/** @param hash of a text, with the operator's key; the same for the same text in every record and span. */
export function redacting(choice: PersonalData, hash: (text: string) => string): Redact {
  return (text, classes) => {
    if (text === '') return undefined;
    const treatment = treatmentOf(choice, classes);
    if (treatment === 'drop') return undefined;
    return treatment === 'hash' ? hash(text) : text;
  };
}
