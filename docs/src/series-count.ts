import { anomalyKinds, eventStatuses, eventTypes } from '../../src/model/event.js';
import { sessionResults, workload, workloads } from '../../src/model/session.js';
import { ownerRelations } from '../../src/model/owner.js';
import { families as allFamilies } from '../../src/metrics/catalogue.js';
import { closedLabels, type Family } from '../../src/metrics/family.js';
import { oldestOpenSessionStart } from '../../src/metrics/restore-families.js';
import { apiCodes, apiOperations, deliveryErrorReasons, ownerLookupOutcomes } from '../../src/model/labels.js';
import { initialSessionDeltas } from '../../src/metrics/deltas.js';

/** What a server and its organizations do: the label values that occur. Values of other labels all occur. */
export type Use = Readonly<
  Record<
    'workload' | 'event_type' | 'status' | 'result' | 'operation' | 'code' | 'kind' | 'reason' | 'outcome' | 'relation',
    readonly string[]
  >
>;

/** One workload and one event type, with successes and failures; every request succeeds. */
export const typicalUse: Use = {
  workload: ['exchange'],
  event_type: ['Restore'],
  status: ['Success', 'Failed'],
  result: ['Success', 'Failed'],
  operation: [...apiOperations],
  code: ['2xx'],
  kind: [],
  reason: [],
  outcome: ['found'],
  relation: ['other', 'unknown'],
};

/** Everything that can occur. */
export const fullUse: Use = {
  workload: [...workloads, 'other'],
  event_type: [...eventTypes, 'other'],
  status: [...eventStatuses.filter(status => status !== 'Running'), 'other'],
  result: [...sessionResults, 'other'],
  operation: [...apiOperations],
  code: [...apiCodes],
  kind: [...anomalyKinds],
  reason: [...deliveryErrorReasons],
  outcome: [...ownerLookupOutcomes],
  relation: [...ownerRelations],
};

/** What an idle v8 server is asked for. */
export const idleUse = {
  operation: ['token', 'probe', 'sessions', 'feed'],
  code: ['2xx'],
  kind: [],
  sink: [],
  reason: [],
  outcome: [],
  relation: [],
} as const;

/** The families of a process that shares its state with nobody. */
export const families = allFamilies.filter(({ name }) => !name.startsWith('vb365_lease_'));

const isOfServer = ({ labels }: Family): boolean => labels.includes('server');

/** How many series Prometheus gets from one server with all sinks, every bucket of a histogram counted as one. */
export function seriesCount(organizations: number, use: Use, all: readonly Family[] = families): number {
  const of = all.filter(isOfServer);
  // The gauge is absent while no session is open.
  if (organizations === 0)
    return countOf(of, [], idleUse) - of.filter(family => family === oldestOpenSessionStart).length;
  const one = countOf(of, ['a'], use);
  // Series without the label `organization` exist once, from the first organization on.
  const perOrganization = countOf(of, ['a', 'b'], use) - one;
  return one + (organizations - 1) * perOrganization;
}

/** How many series the exporter has whatever it monitors, without `process_*` and `nodejs_*`. */
export const ownSeriesCount = (): number =>
  countOf(
    families.filter(family => !isOfServer(family)),
    [],
    idleUse,
  );

/** Labels that have one value per server. */
const single = { server: ['s'], version: ['v'], api_version: ['v'], installation_id: ['i'] };

type Values = Readonly<Record<string, readonly string[]>>;

function countOf(of: readonly Family[], organizations: readonly string[], use: Values): number {
  const initial = organizations.flatMap(organization =>
    sessionTypes
      .map(workload)
      .filter(({ label }) => (use['workload'] ?? []).includes(label))
      .flatMap(term => initialSessionDeltas('s', { organization, workload: term })),
  );
  // Like an anomaly, a deletion is no use that is typical.
  const counted = of.filter(family => !isExceptional(family) || (use['kind'] ?? []).length > 0);
  return counted.reduce((sum, family) => {
    const own = initial.filter(delta => delta.family === family.name).map(({ labels }) => labels);
    const given = organizations.length === 0 ? single : { ...single, ...use, organization: organizations };
    const closed = closedLabels(family, { ...given, ...valuesOf(family, use) });
    return sum + new Set([...closed, ...own].map(labels => JSON.stringify(labels))).size * linesOf(family);
  }, 0);
}

/** Its series appears when something rare has happened. */
const isExceptional = ({ onFirstUse, known }: Family): boolean => onFirstUse === true && known === undefined;

/** The closed lists of a family, limited to what occurs when its series are created on first use or for an organization. */
const valuesOf = ({ known = {}, onFirstUse, labels }: Family, use: Values): Values =>
  onFirstUse === true || labels.includes('organization')
    ? Object.fromEntries(
        Object.entries<readonly string[]>(known).map(([label, values]) => [
          label,
          values.filter(value => use[label]?.includes(value) ?? true),
        ]),
      )
    : known;

/** One of each workload, and an unknown one. */
const sessionTypes = ['Vex', 'Veod', 'Vesp', 'Vet', 'Vnew'];

/** A histogram has a line for each bucket, `+Inf` included, its sum and its count. */
const linesOf = (family: Family): number => (family.type === 'histogram' ? family.buckets.length + 3 : 1);
