import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { type ConnectionHealth, metricsObserver } from '../../src/server/metrics-observer.js';
import { linesOf, pageOf } from '../support/exposition.js';
import { fakeClock } from '../support/fake-clock.js';
import { metricsOf } from '../support/metrics.js';
import { deliveryReport, pollReport } from '../support/server-run.js';

const complete = pollReport();
const failed = pollReport({ error: new ExporterError('network', 'gone') });

type Known = { token?: number; certificate?: number; skew?: number; version?: string };

function healthOf(known: Known) {
  const metrics = metricsOf(['hq']);
  const connection: ConnectionHealth = {
    tokenExpiresAtMs: () => known.token,
    certificateExpiresAtMs: () => known.certificate,
    clockSkewSeconds: () => known.skew,
    apiVersion: () => known.version,
  };
  const observer = metricsObserver('hq', metrics, { clock: fakeClock(5_000), connection });
  const shown = async (name: string): Promise<readonly string[]> => linesOf(await pageOf(metrics), name);
  return { observer, shown };
}

test('Says so: the backlog of a sink is the number of sessions that it still has to read', async () => {
  const { observer, shown } = healthOf({});
  const backlog = async () => shown('vb365_sink_backlog_sessions');
  observer.delivered('logs', deliveryReport({ due: 3 }), 1);
  expect(await backlog()).toEqual(['vb365_sink_backlog_sessions{server="hq",sink="logs"} 3']);
  observer.delivered('logs', deliveryReport(), 1);
  expect(await backlog()).toEqual(['vb365_sink_backlog_sessions{server="hq",sink="logs"} 0']);
});

describe('the connection', () => {
  const families = [
    'vb365_token_expiry_timestamp_seconds',
    'vb365_certificate_expiry_timestamp_seconds',
    'vb365_clock_skew_seconds',
    'vb365_server_info',
  ];

  test('has no series for unknown values', async () => {
    const { observer, shown } = healthOf({});
    observer.discovered(failed, []);
    for (const name of families) expect([name, await shown(name)]).toEqual([name, []]);
    expect(await shown('vb365_server_up')).toEqual(['vb365_server_up{server="hq"} 0']);
  });

  test('is shown after a failed poll too', async () => {
    const { observer, shown } = healthOf({ token: 60_500, certificate: 90_000, skew: 0 });
    observer.discovered(failed, []);
    expect(await shown('vb365_token_expiry_timestamp_seconds')).toEqual([
      'vb365_token_expiry_timestamp_seconds{server="hq"} 60.5',
    ]);
    expect(await shown('vb365_certificate_expiry_timestamp_seconds')).toEqual([
      'vb365_certificate_expiry_timestamp_seconds{server="hq"} 90',
    ]);
    expect(await shown('vb365_clock_skew_seconds')).toEqual(['vb365_clock_skew_seconds{server="hq"} 0']);
  });

  test('loses the token expiry with the token', async () => {
    const known: Known = { token: 60_000 };
    const { observer, shown } = healthOf(known);
    observer.discovered(complete, []);
    expect(await shown('vb365_token_expiry_timestamp_seconds')).toHaveLength(1);
    delete known.token;
    observer.discovered(failed, []);
    expect(await shown('vb365_token_expiry_timestamp_seconds')).toEqual([]);
  });

  test('shows the API version in use now', async () => {
    const known: Known = { version: 'v6' };
    const { observer, shown } = healthOf(known);
    observer.identified({ apiVersion: 'v6', version: '7.0', installationId: 'i' });
    known.version = 'v7';
    observer.identified({ apiVersion: 'v6', version: '7.0', installationId: 'i' });
    expect(await shown('vb365_server_info')).toEqual([
      'vb365_server_info{server="hq",version="7.0",api_version="v7",installation_id="i"} 1',
    ]);
  });
});

const auth = async ({ shown }: ReturnType<typeof healthOf>): Promise<string | undefined> =>
  (await shown('vb365_poll_errors_total')).find(line => line.includes('reason="auth"'));

describe('poll errors', () => {
  const refused = new ExporterError('auth', 'Login was refused');

  test('Says so: are counted at each poll, even if a refused login repeats the same one', async () => {
    const one = healthOf({});
    for (let poll = 0; poll < 3; poll += 1) one.observer.discovered({ ...failed, error: refused }, []);
    expect(await auth(one)).toBe('vb365_poll_errors_total{server="hq",reason="auth"} 3');
  });

  test('that the feed repeats are counted once, and not in addition to the poll that had them', async () => {
    const one = healthOf({});
    one.observer.discovered({ ...failed, error: refused }, []);
    one.observer.feed({ active: false, error: refused });
    const other = new ExporterError('auth', 'Login was refused');
    for (let poll = 0; poll < 3; poll += 1) one.observer.feed({ active: false, error: other });
    expect(await auth(one)).toBe('vb365_poll_errors_total{server="hq",reason="auth"} 2');
  });
});

const counted = (lines: readonly string[]) => lines.filter(line => !line.endsWith(' 0')).toSorted();

describe('delivery errors', () => {
  test('Says so: are counted by sink and reason, apart from errors of reading', async () => {
    const { observer, shown } = healthOf({});
    const [down, full, unread] = [
      new ExporterError('network', 'Could not send'),
      new ExporterError('store', 'Could not store'),
      new ExporterError('timeout', 'Could not read events'),
    ];
    observer.delivered('logs', deliveryReport({ errors: [down, unread], undelivered: [down], due: 1 }), 1);
    observer.delivered('logs', deliveryReport({ errors: [down], undelivered: [down], due: 1 }), 1);
    observer.delivered('metrics', deliveryReport({ errors: [full], undelivered: [full], due: 1 }), 1);
    const stopping = new ExporterError('aborted', 'Stopped');
    observer.delivered('logs', deliveryReport({ errors: [stopping], undelivered: [stopping], due: 1 }), 1);
    expect(counted(await shown('vb365_delivery_errors_total'))).toEqual([
      'vb365_delivery_errors_total{server="hq",sink="logs",reason="network"} 2',
      'vb365_delivery_errors_total{server="hq",sink="metrics",reason="store"} 1',
    ]);
    expect(counted(await shown('vb365_poll_errors_total'))).toEqual([
      'vb365_poll_errors_total{server="hq",reason="timeout"} 1',
    ]);
  });
});
