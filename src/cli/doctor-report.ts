import type { CheckReport, Finding } from './doctor-result.js';

/** Whether nothing is wrong; a warning is nothing wrong. */
export const isWell = (charts: readonly CheckReport[]): boolean => count(charts, 'wrong') === 0;

/** For people: a line for each check, and what to do below it. */
export const asText = (charts: readonly CheckReport[]): readonly string[] => [
  ...charts.flatMap(({ subject, findings }) => [subject, ...findings.flatMap(linesOf), '']),
  summary(charts),
];

/** For programs: one object. */
export const asJson = (charts: readonly CheckReport[]): string =>
  JSON.stringify({ well: isWell(charts), charts }, undefined, 2);

const indent = ' '.repeat(24);

const linesOf = ({ check, status, message, advice, fingerprint }: Finding): readonly string[] => [
  `  ${status.padEnd(8)} ${check.padEnd(12)} ${message}`,
  ...(advice === undefined ? [] : [`${indent}-> ${advice}`]),
  ...(fingerprint === undefined ? [] : [`${indent}server_fingerprint: ${fingerprint}`]),
];

const count = (charts: readonly CheckReport[], status: Finding['status']): number =>
  charts.flatMap(({ findings }) => findings).filter(finding => finding.status === status).length;

const summary = (charts: readonly CheckReport[]): string =>
  (['ok', 'warning', 'wrong', 'skipped'] as const)
    .map(status => `${String(count(charts, status))} ${status}`)
    .join(', ');
