import { eventStatuses, eventTypes } from '../../src/model/event.js';
import { sessionResults, workload, workloads } from '../../src/model/session.js';
import { families } from '../../src/metrics/catalogue.js';
import { closedLabels, type Family } from '../../src/metrics/family.js';
import { initialSessionDeltas } from '../../src/metrics/deltas.js';

/** What the restores of each organization are of: the label values that they bring into being. */
export type Use = Readonly<Record<'workload' | 'event_type' | 'status' | 'result', readonly string[]>>;

/** One workload, one type of restore, that succeeds and fails. */
export const plainUse: Use = {
  workload: ['exchange'],
  event_type: ['Restore'],
  status: ['Success', 'Failed'],
  result: ['Success', 'Failed'],
};

/** Everything there can be. */
export const fullUse: Use = {
  workload: [...workloads, 'other'],
  event_type: [...eventTypes, 'other'],
  status: [...eventStatuses.filter(status => status !== 'Running'), 'other'],
  result: [...sessionResults, 'other'],
};

/** How many series of ours Prometheus gets from one server whose logs are sent, buckets counted one by one. */
export function seriesCount(organizations: number, use: Use, of: readonly Family[] = families): number {
  const [none, one] = [countOf(of, [], use), countOf(of, ['a'], use)];
  // What does not tell organizations apart is there once, from the first of them on.
  const perOrganization = countOf(of, ['a', 'b'], use) - one;
  return organizations === 0 ? none : one + (organizations - 1) * perOrganization;
}

/** Labels of which a server has one value. */
const single = { server: ['s'], version: ['v'], api_version: ['v'], installation_id: ['i'] };

function countOf(of: readonly Family[], organizations: readonly string[], use: Use): number {
  const given = { ...single, ...(organizations.length === 0 ? {} : { ...use, organization: organizations }) };
  const born = organizations.flatMap(organization =>
    sessionTypes
      .map(workload)
      .filter(({ label }) => use.workload.includes(label))
      .flatMap(term => initialSessionDeltas('s', { organization, workload: term })),
  );
  return of.reduce((sum, family) => {
    const own = born.filter(delta => delta.family === family.name).map(({ labels }) => labels);
    const series = new Set(
      [...closedLabels(family, { ...given, ...family.known }), ...own].map(labels => JSON.stringify(labels)),
    );
    return sum + series.size * linesOf(family);
  }, 0);
}

/** One of each workload, and one that we do not know. */
const sessionTypes = ['Vex', 'Veod', 'Vesp', 'Vet', 'Vnew'];

/** A histogram has a line for each bucket, `+Inf` among them, its sum and its count. */
const linesOf = (family: Family): number => (family.type === 'histogram' ? family.buckets.length + 3 : 1);
