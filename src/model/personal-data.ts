/** Classes of personal data in the API. The operator chooses a treatment for each. */
export const personalClasses = ['person', 'item', 'path', 'client'] as const;
export type PersonalClass = (typeof personalClasses)[number];

/** Treatments, the mildest first: keep the text, replace it by its keyed hash, or drop it. */
export const treatments = ['keep', 'hash', 'drop'] as const;
export type Treatment = (typeof treatments)[number];

/** The operator's choice for each class. */
export type PersonalData = Readonly<Record<PersonalClass, Treatment>>;

/** The treatment of a text that may hold all of these classes: the strictest counts. */
export function treatmentOf(choice: PersonalData, classes: readonly PersonalClass[]): Treatment {
  return treatments[Math.max(0, ...classes.map(each => treatments.indexOf(choice[each])))] ?? 'drop';
}

/** `user@domain`, or `DOMAIN\user`. */
const account = /^(?:[^\s@\\/]+@[^\s@\\/]+|[^\s@\\/]+\\[^\s@\\/]+)$/;

/** An account in lower case: servers spell it in several ways. Any other text as it is. */
export const normalAccount = (text: string): string => (account.test(text) ? text.toLowerCase() : text);
