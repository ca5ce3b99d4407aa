import type { Series } from '../pipeline/ports.js';
import { storedFamilies } from './catalogue.js';

/** The label value of organizations beyond the limit. */
const overflow = 'overflow';

/** Which label value an organization has. */
export type OrganizationLabel = (organization: string) => string;

/**
 * The label values of one server's organizations: their names up to the limit, `overflow` for later ones.
 * @param known those that have series: they keep their names under a lower limit, because counters do not vanish.
 * @param most maximum number of names.
 */
export function organizationLabels(known: Iterable<string>, most: number): OrganizationLabel {
  const members = new Set(known);
  return organization => {
    const name = labelValue(organization);
    if (members.has(name)) return name;
    if (members.size >= most) return overflow;
    members.add(name);
    return name;
  };
}

/** Every organization has its name as label value. */
export const unlimited: OrganizationLabel = organization => labelValue(organization);

/** Characters of a label value; longer names are cut. */
const longestLabel = 200;

function labelValue(organization: string): string {
  return organization.slice(0, longestLabel).toWellFormed();
}

const labelsOf = new Map<string, readonly string[]>(storedFamilies.map(({ name, labels }) => [name, labels]));

/** The organizations of stored series, by server: those that have a label value. */
export function organizationsIn(series: readonly Series[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { family, labels } of series) {
    const labelNames = labelsOf.get(family) ?? [];
    const organization = labels[labelNames.indexOf('organization')];
    const server = labels[labelNames.indexOf('server')];
    if (organization === undefined || server === undefined || organization === overflow) continue;
    const names = found.get(server) ?? new Set<string>();
    found.set(server, names.add(organization));
  }
  return found;
}
