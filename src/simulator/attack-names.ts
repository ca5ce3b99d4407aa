/** The names of the attacks in `attacks.ts`, in a separate file because every start of the program loads them. */
export const attackNames = [
  'first-export',
  'somebody-elses-data',
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
