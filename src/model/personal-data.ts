/** Kinds of personal data in what the API tells. What becomes of each is the operator's choice. */
export const personalClasses = ['person', 'item', 'path', 'client'] as const;
export type PersonalClass = (typeof personalClasses)[number];

/** What is done with a text, the mildest first: told as it is, replaced by its keyed hash, or left out. */
export const treatments = ['keep', 'hash', 'drop'] as const;
export type Treatment = (typeof treatments)[number];

/** The operator's choice for each class. */
export type PersonalData = Readonly<Record<PersonalClass, Treatment>>;

/** The choice for a text that may hold all of these classes: the strictest counts. */
export function treatmentOf(choice: PersonalData, classes: readonly PersonalClass[]): Treatment {
  let strictness = 0;
  for (const one of classes) strictness = Math.max(strictness, treatments.indexOf(choice[one]));
  return treatments[strictness] ?? 'drop';
}
