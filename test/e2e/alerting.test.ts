import { describe, expect, test } from '@jest/globals';
import { type Chain, restoreOf, withChain } from './support/chain.js';
import { eventually } from './support/running.js';

const receiver = 'backup-team';
const fabrikam = 'fabrikam.onmicrosoft.com';
const northwind = 'northwind.onmicrosoft.com';

/** The notifications of Failed events of an organization. */
const failuresOf = (chain: Chain, organization: string) =>
  chain
    .notified(receiver)
    .filter(
      ({ labels }) => labels['alertname'] === 'VB365RestoreEventFailed' && labels['organization'] === organization,
    );

const notifiedOf = async (chain: Chain, organization: string) =>
  eventually(`the failure of ${organization} is reported`, () => failuresOf(chain, organization)[0]);

/** Waits until Prometheus has seen an event of `organization`, and the rules were evaluated on it several times. */
async function judged({ prometheus }: Chain, organization: string, status: string): Promise<void> {
  const counted = `sum(vb365_restore_events_total{organization="${organization}",status="${status}"}) == 1`;
  await eventually(`Prometheus has seen it`, async () =>
    (await prometheus.query(counted)).length > 0 ? true : undefined,
  );
  await prometheus.evaluated('vb365-restore.alerts', 5);
}

describe('from the server to the webhook', () => {
  test('The first failure alerts: the first Failed event of a fresh installation is reported, and whose it is', async () => {
    await withChain(async chain => {
      restoreOf(chain.world, fabrikam, 'Failed');
      const { labels, annotations } = await notifiedOf(chain, fabrikam);
      expect(labels).toEqual({
        alertname: 'VB365RestoreEventFailed',
        severity: 'warning',
        component: 'restore',
        server: 'hq',
        organization: fabrikam,
        workload: 'exchange',
        event_type: 'Restore',
      });
      expect(annotations).toMatchObject({
        summary: 'Items failed for fabrikam.onmicrosoft.com on hq.',
        description: expect.stringMatching(
          /^1 exchange item\(s\) failed \(Restore\) for fabrikam.onmicrosoft.com on hq within 15m\. /,
        ),
        runbook_url: expect.stringMatching(/\/VB365RestoreEventFailed\.md$/),
        dashboard_url: expect.stringContaining(`var-organization=${fabrikam}`),
      });
    });
  });

  test('a run of successes is silent', async () => {
    await withChain(async chain => {
      restoreOf(chain.world, fabrikam, 'Success');
      restoreOf(chain.world, northwind, 'Success');
      await judged(chain, fabrikam, 'Success');
      await judged(chain, northwind, 'Success');
      // The simulator of this chain speaks plain HTTP, and the rules rightly say so.
      const raised = 'ALERTS{alertname=~"VB365.*",alertname!="VB365TlsVerificationOff"}';
      expect(await chain.prometheus.query(raised)).toEqual([]);
      expect([...chain.notified(receiver), ...chain.notified('operators'), ...chain.notified('on-call')]).toEqual([]);
    });
  });

  test('Nothing lost, nothing counted twice: a restart of the exporter repeats no alert and misses none', async () => {
    await withChain(async chain => {
      restoreOf(chain.world, fabrikam, 'Failed');
      await notifiedOf(chain, fabrikam);
      await chain.stopExporter();
      restoreOf(chain.world, northwind, 'Failed');
      await chain.startExporter();
      await notifiedOf(chain, northwind);
      await judged(chain, northwind, 'Failed');
      await judged(chain, fabrikam, 'Failed');
      expect(failuresOf(chain, fabrikam)).toHaveLength(1);
      expect(failuresOf(chain, northwind)).toHaveLength(1);
    });
  });
});
