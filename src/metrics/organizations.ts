import type { Series } from '../pipeline/ports.js';
import { families } from './catalogue.js';

/** The label value of organizations that have none of their own. */
export const overflow = 'overflow';

/** Which label value an organization has. */
export type OrganizationLabel = (organization: string) => string;

/**
 * The label values of one server's organizations: their names while there is room, `overflow` for those that come later.
 * @param known those that have series already: they keep them, also when the limit is lower now, because a counter never vanishes.
 * @param most how many there are room for.
 */
export function organizationLabels(known: Iterable<string>, most: number): OrganizationLabel {
  const members = new Set(known);
  return organization => {
    const name = organization.toWellFormed();
    if (members.has(name)) return name;
    if (members.size >= most) return overflow;
    members.add(name);
    return name;
  };
}

/** The label value of everyone is their name. */
export const unlimited: OrganizationLabel = organization => organization;

/** Where a family has `server` and `organization` among its labels. */
const places = new Map<string, Readonly<{ server: number; organization: number }>>(
  families
    .filter(({ stored }) => stored === true)
    .map(({ name, labels }) => [
      name,
      { server: labels.indexOf('server'), organization: labels.indexOf('organization') },
    ]),
);

/** The organizations that stored series are of, by server. They are the memory of who has a label value. */
export function organizationsIn(series: readonly Series[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { family, labels } of series) {
    const place = places.get(family);
    const organization = labels[place?.organization ?? -1];
    const server = labels[place?.server ?? -1];
    if (organization === undefined || server === undefined || organization === overflow) continue;
    const names = found.get(server) ?? new Set<string>();
    found.set(server, names.add(organization));
  }
  return found;
}
