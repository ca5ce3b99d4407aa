import { describe, expect, test } from '@jest/globals';
import { eventStatus } from '../../src/model/event.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { metricsSink } from '../../src/metrics/metrics-sink.js';
import { families } from '../../src/metrics/catalogue.js';
import { sinkBacklog, cursorTime } from '../../src/metrics/delivery-families.js';
import { initialServerDeltas, initialSessionDeltas } from '../../src/metrics/deltas.js';
import { restoreSessionsOpen } from '../../src/metrics/restore-families.js';
import {
  apiRequestDuration,
  apiRequests,
  pollDuration,
  pollErrors,
  polls,
  serverInfo,
  serverUp,
} from '../../src/metrics/server-families.js';
import { linesOf, pageOf as whole } from '../support/exposition.js';
import { at, batch, session, taken } from '../support/restore.js';
import { metricsOf } from '../support/metrics.js';

const never = new AbortController().signal;
const create = (): Metrics => metricsOf(['hq']);
const text = async (metrics: Metrics, name: string): Promise<string> => linesOf(await whole(metrics), name).join('\n');

const row = (organization: string, value: number) => ({ labels: { organization, workload: 'exchange' }, value });

describe('the registry', () => {
  test('serves every family of the catalogue, with its type and help', async () => {
    const exposition = await whole(create());
    for (const { name, type, help } of families)
      expect(exposition).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  });

  test('says which build it is, and how the process does', async () => {
    const metrics = create();
    expect(await text(metrics, 'vb365_build_info')).toBe('vb365_build_info{version="1.2.3"} 1');
    expect(await whole(metrics)).toMatch(/^process_cpu_seconds_total [\d.]+$/m);
  });

  test('has the closed series of this process at 0 from the start', async () => {
    const metrics = create();
    expect(await text(metrics, 'vb365_polls_total')).toBe(
      ['complete', 'partial', 'failed'].map(result => `vb365_polls_total{server="hq",result="${result}"} 0`).join('\n'),
    );
    expect(await text(metrics, 'vb365_state_errors_total')).toContain('{operation="commit"} 0');
    expect(await text(metrics, 'vb365_poll_duration_seconds')).toContain('_count{server="hq"} 0');
    expect(await text(metrics, 'vb365_server_up')).toBe('');
  });

  test('gives counters and histograms of a server the number of its lease, and gauges not', async () => {
    const metrics = create();
    metrics.forget('hq', '7');
    metrics.begin('hq');
    metrics.begin('branch');
    metrics.set(serverUp, { server: 'hq' }, 1);
    const page = await whole(metrics);
    expect(page).toContain('vb365_polls_total{server="hq",result="failed",lease="7"} 0');
    expect(page).toContain('vb365_polls_total{server="branch",result="failed"} 0');
    expect(page).toContain('vb365_poll_duration_seconds_bucket{le="+Inf",server="hq",lease="7"} 0');
    expect(page).toContain('vb365_server_up{server="hq"} 1');
  });

  test('drops what may have changed of a server that another replica may read, and keeps times and settings', async () => {
    const metrics = create();
    const served = async (): Promise<readonly string[]> =>
      [...(await whole(metrics)).matchAll(/^(vb365_\w+)\{server="x"/gm)].map(([, name = '']) => name);
    for (const { name, type, labels, stored } of families)
      if (type === 'gauge' && labels[0] === 'server' && stored !== true)
        metrics.set(
          { ...serverUp, name },
          { server: 'x', ...Object.fromEntries(labels.map(label => [label, 'x'])) },
          1,
        );
    expect(await served()).toHaveLength(16);
    metrics.dropCurrent('x');
    expect(await served()).toEqual([
      'vb365_certificate_expiry_checked',
      'vb365_cursor_timestamp_seconds',
      'vb365_last_successful_poll_timestamp_seconds',
      'vb365_lease_unheld',
      'vb365_poll_interval_seconds',
      'vb365_tls_verification_enabled',
    ]);
  });

  test('creates request series on first use', async () => {
    const metrics = create();
    expect(await text(metrics, 'vb365_api_requests_total')).toBe('');
    metrics.inc(apiRequests, { server: 'hq', operation: 'feed', code: '2xx' });
    expect(await text(metrics, 'vb365_api_requests_total')).toBe(
      'vb365_api_requests_total{server="hq",operation="feed",code="2xx"} 1',
    );
    expect(await text(metrics, 'vb365_api_request_duration_seconds')).toBe('');
  });

  test('shows one moment: a page has what happened before its number, and nothing later', async () => {
    const metrics = create();
    const count = (): void => {
      metrics.inc(polls, { server: 'hq', result: 'failed' });
      metrics.stored.apply(initialServerDeltas('new server', ['metrics']));
    };
    const pages = [metrics.exposition('text')];
    count();
    pages.push(metrics.exposition('openmetrics'));
    const [first, second] = await Promise.all(pages);
    count();
    expect([first?.page, second?.page]).toEqual([1, 2]);
    const delta = {
      family: 'vb365_sink_delivered_total',
      labels: ['new', 'metrics', 'delivered'],
      kind: 'counter',
      by: 0,
    } as const;
    metrics.stored.apply([delta]);
    expect(metrics.stored.firstPage(delta)).toBe(3);
  });

  test('begins the closed series of a server that comes later, once, and drops only gauges of one that goes', async () => {
    const metrics = create();
    metrics.begin('new');
    expect(await text(metrics, 'vb365_polls_total')).toContain('{server="new",result="failed"} 0');
    expect(await text(metrics, 'vb365_state_errors_total')).toContain('{operation="commit"} 0');
    metrics.observe(pollDuration, { server: 'new' }, 1);
    metrics.set(serverUp, { server: 'new' }, 1);
    metrics.set(serverUp, { server: 'hq' }, 1);
    metrics.begin('new');
    metrics.drop('new');
    expect(await text(metrics, 'vb365_poll_duration_seconds')).toContain('_count{server="new"} 1');
    expect(await text(metrics, 'vb365_server_up')).toBe('vb365_server_up{server="hq"} 1');
    expect(await text(metrics, 'vb365_build_info')).toContain('1.2.3');
  });

  test('counts and observes', async () => {
    const metrics = create();
    metrics.inc(pollErrors, { server: 'hq', reason: 'network' });
    metrics.inc(polls, { server: 'new', result: 'failed' }, 2);
    metrics.inc(apiRequests, { server: 'hq', operation: 'events', code: '2xx' });
    metrics.observe(apiRequestDuration, { server: 'hq', operation: 'events' }, 0.3);
    expect(await text(metrics, 'vb365_poll_errors_total')).toContain('{server="hq",reason="network"} 1');
    expect(await text(metrics, 'vb365_polls_total')).toContain('{server="new",result="failed"} 2');
    expect(await text(metrics, 'vb365_api_request_duration_seconds')).toContain(
      '_sum{server="hq",operation="events"} 0.3',
    );
  });

  test('keeps the labels it was given, whatever becomes of the object', async () => {
    const metrics = create();
    const labels = { server: 'hq', result: 'failed' as const };
    metrics.inc(polls, labels);
    labels.server = 'other';
    expect(await text(metrics, 'vb365_polls_total')).not.toContain('other');
  });

  test('sets a gauge, series by series', async () => {
    const metrics = create();
    metrics.set(sinkBacklog, { server: 'hq', sink: 'logs' }, 3);
    metrics.set(sinkBacklog, { server: 'hq', sink: 'logs' }, 2);
    metrics.set(sinkBacklog, { server: 'b', sink: 'metrics' }, 1);
    metrics.set(cursorTime, { server: 'hq', sink: 'logs' }, 1.5);
    expect(await text(metrics, 'vb365_sink_backlog_sessions')).toBe(
      'vb365_sink_backlog_sessions{server="hq",sink="logs"} 2\nvb365_sink_backlog_sessions{server="b",sink="metrics"} 1',
    );
  });

  test('replaces all series of one server, and none of another', async () => {
    const metrics = create();
    metrics.replace(restoreSessionsOpen, 'hq', [row('a', 1), row('b', 2)]);
    metrics.replace(restoreSessionsOpen, 'dr', [row('a', 4)]);
    metrics.replace(restoreSessionsOpen, 'hq', [row('b', 0)]);
    expect(await text(metrics, 'vb365_restore_sessions_open')).toBe(
      `vb365_restore_sessions_open{server="hq",organization="b",workload="exchange"} 0
vb365_restore_sessions_open{server="dr",organization="a",workload="exchange"} 4`,
    );
    metrics.replace(restoreSessionsOpen, 'hq', []);
    metrics.replace(restoreSessionsOpen, 'dr', []);
    expect(await text(metrics, 'vb365_restore_sessions_open')).toBe('');
  });

  test('keeps gauges apart whose organizations were made to look like labels', async () => {
    const metrics = create();
    const hostile = ['a', 'a,server:hq', 'a"} 1', 'a\nb', 'a\\nb'];
    metrics.replace(restoreSessionsOpen, 'hq', hostile.map(row));
    expect((await text(metrics, 'vb365_restore_sessions_open')).split('\n')).toEqual([
      'vb365_restore_sessions_open{server="hq",organization="a",workload="exchange"} 0',
      'vb365_restore_sessions_open{server="hq",organization="a,server:hq",workload="exchange"} 1',
      String.raw`vb365_restore_sessions_open{server="hq",organization="a\"} 1",workload="exchange"} 2`,
      String.raw`vb365_restore_sessions_open{server="hq",organization="a\nb",workload="exchange"} 3`,
      String.raw`vb365_restore_sessions_open{server="hq",organization="a\\nb",workload="exchange"} 4`,
    ]);
  });

  test('a wrong label is a type error', () => {
    const metrics = create();
    expect(() => {
      // @ts-expect-error -- no such operation
      metrics.inc(apiRequests, { server: 'hq', operation: 'nothing', code: '2xx' });
      // @ts-expect-error -- a gauge cannot be counted
      metrics.inc(serverInfo, { server: 'hq', version: '', api_version: '', installation_id: '' });
      metrics.replace(polls as never, 'hq', []);
      metrics.replace(apiRequestDuration as never, 'hq', []);
    }).not.toThrow();
    expect(() => {
      // @ts-expect-error -- a label is missing
      metrics.inc(polls, { server: 'hq' });
    }).toThrow(TypeError);
  });
});

test('a small batch, as it is scraped', async () => {
  const metrics = create();
  const of = session({ open: false, endedAt: at('2017-05-30T10:57:29Z') });
  const failed = taken({ status: eventStatus('Failed'), order: 2, duration: undefined }, of);
  metrics.stored.apply(initialServerDeltas('hq', ['metrics']));
  metrics.stored.apply(initialSessionDeltas('hq', of));
  const sink = metricsSink('hq');
  const { deltas } = await sink.deliver(batch({ events: [taken({}, of), failed], results: [of] }), never);
  metrics.stored.apply(deltas);
  const lines = (await whole(metrics)).split('\n');
  expect(lines.filter(line => /^vb365_.*[^0]$/.test(line) && !/_bucket|build_info/.test(line))).toEqual([
    'vb365_event_lag_seconds_sum{server="hq",sink="metrics"} 3.8260786',
    'vb365_event_lag_seconds_count{server="hq",sink="metrics"} 2',
    'vb365_restore_events_total{server="hq",organization="contoso.onmicrosoft.com",workload="sharepoint",event_type="Save",status="Failed"} 1',
    'vb365_restore_events_total{server="hq",organization="contoso.onmicrosoft.com",workload="sharepoint",event_type="Save",status="Success"} 1',
    'vb365_restore_item_duration_seconds_sum{server="hq",workload="sharepoint",event_type="Save"} 0.0446928',
    'vb365_restore_item_duration_seconds_count{server="hq",workload="sharepoint",event_type="Save"} 1',
    'vb365_restore_last_event_timestamp_seconds{server="hq",organization="contoso.onmicrosoft.com",status="Success"} 1496141848.0869608',
    'vb365_restore_last_event_timestamp_seconds{server="hq",organization="contoso.onmicrosoft.com",status="Failed"} 1496141848.0869608',
    'vb365_restore_owner_events_total{server="hq",organization="contoso.onmicrosoft.com",relation="unknown"} 2',
    'vb365_restore_session_duration_seconds_sum{server="hq",workload="sharepoint"} 225',
    'vb365_restore_session_duration_seconds_count{server="hq",workload="sharepoint"} 1',
    'vb365_restore_sessions_total{server="hq",organization="contoso.onmicrosoft.com",workload="sharepoint",result="Success"} 1',
    'vb365_sink_delivered_total{server="hq",sink="metrics",outcome="delivered"} 3',
  ]);
  expect(await text(metrics, 'vb365_restore_item_duration_seconds')).toMatch(
    /le="0.01".* 0\n.*le="0.1".* 1\n(.*_bucket.* 1\n){11}.*_sum/,
  );
});
