import { type CheckReport, wrong } from './doctor-result.js';

/** What was found of a server, and which installation it is; `''` where it has not told. */
export type ServerReport = CheckReport & Readonly<{ name: string; installationId: string }>;

/** Adds what is wrong where a server is the same installation as one before it: the exporter refuses the second. */
export const withDuplicateInstallations = (charts: readonly ServerReport[]): readonly CheckReport[] =>
  charts.map(({ name, installationId, subject, findings }) => {
    const twin = charts.find(one => installationId !== '' && one.installationId === installationId);
    if (twin === undefined || twin.name === name) return { subject, findings };
    const look = wrong(
      `it is the same installation as "${twin.name}", and would be counted twice`,
      'remove one of the two from the configuration',
    );
    return { subject, findings: [...findings, { check: 'installation', ...look }] };
  });
