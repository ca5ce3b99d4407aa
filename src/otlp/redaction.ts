import {
  normalAccount,
  type PersonalClass,
  type PersonalData,
  type Treatment,
  treatmentOf,
} from '../model/personal-data.js';

/** A text as far as the operator allows it; undefined when it must be left out. `classes` is what it may hold. */
export type Redact = (text: string, classes: readonly PersonalClass[]) => string | undefined;

/**
 * @param hash keyed with the operator's key: the same text has the same hash in every record and span, and so has the same
 * account, however its letters are written.
 */
export function redacting(choice: PersonalData, hash: (text: string) => string): Redact {
  // Runs for every text of every record; there are few lists of classes.
  const treatments = new WeakMap<readonly PersonalClass[], Treatment>();
  return (text, classes) => {
    if (text === '') return undefined;
    const treatment = treatments.get(classes) ?? treatmentOf(choice, classes);
    treatments.set(classes, treatment);
    if (treatment === 'drop') return undefined;
    return treatment === 'hash' ? hash(normalAccount(text)) : text;
  };
}
