/** The scripted attacks of `attacks.ts`; a file of their own, because every start of the program loads the names. */
export const attackNames = [
  'first-export',
  'external-recipient',
  'outside-hours',
  'many-organizations',
  'mass-view',
  'foreign-location',
  'foreign-operator',
  'blind-exporter',
  'delete-sessions',
  'failed-logins',
] as const;
export type AttackName = (typeof attackNames)[number];
