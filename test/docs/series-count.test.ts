import { describe, expect, test } from '@jest/globals';
import { eventStatus, eventType } from '../../src/model/event.js';
import { sessionResult, workload } from '../../src/model/session.js';
import { apiCodes, apiOperations, isTimedOperation, ownerLookupOutcomes } from '../../src/model/labels.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { apiRequestDuration, apiRequests, ownerLookups } from '../../src/metrics/server-families.js';
import { sinkNames } from '../../src/pipeline/ports.js';
import { batchDeltas, initialServerDeltas, initialSessionDeltas, sinkDeltas } from '../../src/metrics/deltas.js';
import { oldestOpenSessionStart } from '../../src/metrics/restore-families.js';
import {
  families,
  fullUse,
  idleUse,
  ownSeriesCount,
  seriesCount,
  typicalUse,
  type Use,
} from '../../docs/src/series-count.js';
import { pageOf } from '../support/exposition.js';
import { batch, event, session } from '../support/restore.js';
import { metricsOf } from '../support/metrics.js';

const types = { exchange: 'Vex', onedrive: 'Veod', sharepoint: 'Vesp', teams: 'Vet' };

/** The number of series after these organizations have done everything in `use`, or after an idle server's first poll. */
async function measured(organizations: number, use: Use): Promise<number> {
  const metrics = metricsOf(['s'], { version: 'v' });
  metrics.stored.apply(initialServerDeltas('s'));
  request(metrics, organizations === 0 ? idleUse : use);
  const sessions = Array.from({ length: organizations }, (_, n) => `o${String(n)}`).flatMap(organization =>
    use.workload.flatMap(label =>
      use.result.map(result =>
        session({
          organization,
          workload: workload(Object.entries(types).find(([name]) => name === label)?.[1] ?? 'new'),
          result: sessionResult(result),
          open: false,
          endedAt: session().createdAt,
        }),
      ),
    ),
  );
  const item = { name: '', type: '', sizeBytes: 1 };
  for (const of of sessions) {
    metrics.stored.apply(initialSessionDeltas('s', of));
    const events = use.event_type.flatMap(type =>
      use.status.map(status => ({
        session: of,
        event: event({ type: eventType(type), status: eventStatus(status), item }),
      })),
    );
    const failures = use.event_type.map(type => ({ session: of, item: eventType(type).label }));
    const all = batch({ events, results: [of], failures: of.result.label === 'Failed' ? failures : [] });
    metrics.stored.apply(batchDeltas('s', all));
    for (const sink of sinkNames)
      metrics.stored.apply(sinkDeltas('s', sink, all, { outcome: 'delivered', dropped: 0, deadLetters: [] }));
  }
  const openGauges = ['vb365_restore_sessions_open', ...(organizations === 0 ? [oldestOpenSessionStart.name] : [])];
  for (const family of families)
    if (family.type === 'gauge' && family.stored !== true && !openGauges.includes(family.name)) fill(metrics, family);
  const open = sessions.map(({ organization, workload: { label } }) => ({
    labels: { organization, workload: label },
    value: 1,
  }));
  metrics.replace(families.find(({ name }) => name === 'vb365_restore_sessions_open') as never, 's', open);
  const text = await pageOf(metrics);
  return text.split('\n').filter(line => line.includes('server="s"')).length;
}

/** Sends every request of `use`. */
function request(
  metrics: Metrics,
  { operation, code, outcome: outcomes }: Pick<Use, 'operation' | 'code' | 'outcome'>,
): void {
  for (const outcome of ownerLookupOutcomes.filter(name => outcomes.includes(name)))
    metrics.inc(ownerLookups, { server: 's', outcome });
  for (const one of apiOperations.filter(name => operation.includes(name))) {
    for (const ended of apiCodes.filter(name => code.includes(name)))
      metrics.inc(apiRequests, { server: 's', operation: one, code: ended });
    if (isTimedOperation(one)) metrics.observe(apiRequestDuration, { server: 's', operation: one }, 1);
  }
}

/** Sets a gauge for every known value of its labels. */
function fill(metrics: Metrics, { name, labels, known }: (typeof families)[number]): void {
  const sinks = known?.['sink'] ?? [''];
  for (const sink of sinks) {
    const values = Object.fromEntries(
      labels.map(label => [label, label === 'sink' ? sink : label === 'server' ? 's' : 'v']),
    );
    metrics.set({ name, type: 'gauge' } as never, values, 1);
  }
}

/** Families of the exporter itself, with the number of their series. */
const ownFamilies = families.filter(({ labels }) => !labels.includes('server'));

const alone = (name: string): number =>
  seriesCount(
    1,
    fullUse,
    families.filter(family => family.name === name),
  );

describe('the number of series in docs/METRICS.md', () => {
  test('includes every family', () => {
    const ofServers = families.filter(family => !ownFamilies.includes(family));
    expect(ofServers.filter(({ name }) => alone(name) === 0).map(({ name }) => name)).toEqual([]);
  });

  test('is at most 90 for an idle server', () => {
    expect(seriesCount(0, typicalUse)).toBeLessThanOrEqual(90);
  });

  test('has the series of the exporter itself apart', async () => {
    const text = await pageOf(metricsOf([], { version: 'v' }));
    for (const { name } of ownFamilies) expect(text).toContain(`# TYPE ${name} `);
    // A reload sets two more.
    expect(ownSeriesCount()).toBe(text.split('\n').filter(line => line.startsWith('vb365_')).length + 2);
  });

  test.each([0, 1, 2, 100])('is that of a page, for %p organizations in typical use', async organizations => {
    expect(seriesCount(organizations, typicalUse)).toBe(await measured(organizations, typicalUse));
  });

  test.each([1, 3])('is an upper limit for %p organizations that do everything', async organizations => {
    const count = await measured(organizations, fullUse);
    expect(count).toBeLessThanOrEqual(seriesCount(organizations, fullUse));
    expect(count).toBeGreaterThan(0.9 * seriesCount(organizations, fullUse));
  });
});
