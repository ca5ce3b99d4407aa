import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Listening } from '../../src/web/listen.js';
import type { MetricsFormat, MetricsScraper } from '../../src/web/scrape.js';
import { until } from '../support/until.js';
import { drivenClock } from '../support/simulator.js';
import { serve } from '../support/web.js';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async server => server.close()));
});

type Reply = Readonly<{ headers: Readonly<Record<string, unknown>>; body: Buffer }>;
type Ask = Readonly<{ method?: string; headers?: Readonly<Record<string, string>> }>;

async function ask(port: number, { method = 'GET', headers = {} }: Ask = {}): Promise<Reply> {
  const sent = request({ host: '127.0.0.1', port, path: '/metrics', method, headers, agent: false }).end();
  const answer = Promise.withResolvers<Reply>();
  sent.on('error', answer.reject).on('response', response => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => void chunks.push(chunk));
    response.on('end', () => answer.resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
  });
  return answer.promise;
}

const openMetrics = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' };
const types = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A server whose page names its format, and the readers it was delivered to. */
async function rig(textOf: (format: MetricsFormat) => string | Promise<string> = format => `${format} 1\n`) {
  const delivered: MetricsScraper[] = [];
  const clock = drivenClock();
  const server = await serve({
    clock,
    metrics: async format => ({
      body: Buffer.from(await textOf(format)),
      delivered: scraper => void delivered.push(scraper),
    }),
  });
  open.push(server);
  return { port: server.port, delivered, clock };
}

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const protobufFirst =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

describe('a scrape', () => {
  test.each([
    ['text', {}],
    ['openmetrics', openMetrics],
  ] as const)('is answered as %s when the client asks for it', async (format, headers) => {
    const { port } = await rig();
    const { headers: got, body } = await ask(port, { headers });
    expect(body.toString()).toBe(`${format} 1\n`);
    expect(got).toMatchObject({ 'content-type': types[format], vary: 'Accept, Accept-Encoding' });
    expect(got).not.toHaveProperty('content-encoding');
  });

  test.each([
    ['an empty header', '', 'text'],
    ['curl', '*/*', 'text'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'text'],
    ['Prometheus 2', prometheus2, 'openmetrics'],
    ['Prometheus 3', prometheus3, 'openmetrics'],
    ['Prometheus with native histograms', protobufFirst, 'openmetrics'],
    ['only text', 'text/plain;version=0.0.4', 'text'],
    ['OpenMetrics without a version', 'application/openmetrics-text', 'openmetrics'],
    [
      'OpenMetrics with a charset, in quotes and capitals',
      'Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8',
      'openmetrics',
    ],
    ['only an old OpenMetrics', 'application/openmetrics-text;version=0.0.1', 'text'],
    ['text liked better', 'application/openmetrics-text;version=1.0.0;q=0.4, text/plain;q=0.5', 'text'],
    ['both liked as much, OpenMetrics first', 'application/openmetrics-text, text/plain', 'openmetrics'],
    ['both liked as much, text first', 'text/plain, application/openmetrics-text', 'text'],
    ['OpenMetrics refused', 'application/openmetrics-text;q=0, */*', 'text'],
    ['a quality that is none', 'application/openmetrics-text;q=x, text/plain;q=0.1', 'text'],
    ['nothing we write', 'image/png', 'text'],
    ['nonsense', ';;;,,=,q=', 'text'],
    ['other escaping schemes', 'application/openmetrics-text;version=1.0.0;escaping=underscores', 'openmetrics'],
  ] as const)('is answered in the format that the client prefers: %s', async (_, accept, format) => {
    const { port } = await rig();
    expect((await ask(port, { headers: { accept } })).body.toString()).toBe(`${format} 1\n`);
  });

  test('in one format never mixes with a concurrent one in the other', async () => {
    const both = Promise.withResolvers<void>();
    let active = 0;
    const { port } = await rig(async format => {
      if ((active += 1) === 20) both.resolve();
      await both.promise;
      return `${format}\n`.repeat(10_000);
    });
    const formats = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'text' : 'openmetrics'));
    const replies = await Promise.all(
      formats.map(async format => ask(port, { headers: format === 'text' ? {} : openMetrics })),
    );
    for (const [i, format] of formats.entries()) {
      expect(replies[i]?.headers['content-type']).toBe(types[format]);
      expect(new Set(replies[i]?.body.toString().trimEnd().split('\n'))).toEqual(new Set([format]));
    }
  });

  test.each([
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['*', true],
    ['br', false],
    ['gzip;q=0', false],
    ['identity, gzip;q=0.5', false],
    ['', false],
  ])('with Accept-Encoding %p is compressed: %p', async (encoding, compressed) => {
    const { port } = await rig();
    const { headers, body } = await ask(port, { headers: { 'accept-encoding': encoding } });
    expect(headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    expect((compressed ? gunzipSync(body) : body).toString()).toBe('text 1\n');
    expect(headers['content-length']).toBe(String(body.length));
  });

  test.each([{}, { 'accept-encoding': 'gzip', ...openMetrics }])(
    'by HEAD has the headers of GET: %p',
    async headers => {
      const { port } = await rig();
      const [got, head] = [await ask(port, { headers }), await ask(port, { method: 'HEAD', headers })];
      expect(head.body).toHaveLength(0);
      for (const name of ['content-type', 'content-length', 'content-encoding', 'vary'])
        expect(head.headers[name]).toBe(got.headers[name]);
    },
  );
});

describe('a page is delivered', () => {
  const prometheus = { 'user-agent': 'Prometheus/3.5.0', 'x-prometheus-scrape-timeout-seconds': '10' };

  test('to a scraper, identified by address and user agent', async () => {
    const { port, delivered } = await rig();
    await ask(port, { headers: prometheus });
    await ask(port, { headers: { 'user-agent': 'curl/8.5.0' } });
    await ask(port);
    await until(() => delivered.length === 3);
    expect(delivered).toEqual([
      { key: '127.0.0.1 Prometheus/3.5.0', scrapes: true },
      { key: '127.0.0.1 curl/8.5.0', scrapes: false },
      { key: '127.0.0.1 ', scrapes: false },
    ]);
  });

  test('when it is compressed', async () => {
    const { port, delivered } = await rig();
    await ask(port, { headers: { ...prometheus, 'accept-encoding': 'gzip' } });
    await until(() => delivered.length === 1);
  });

  test('to a user agent cut to 200 characters', async () => {
    const { port, delivered } = await rig();
    await ask(port, { headers: { 'user-agent': 'x'.repeat(5_000) } });
    await until(() => delivered.length === 1);
    expect(delivered[0]?.key).toBe(`127.0.0.1 ${'x'.repeat(200)}`);
  });

  test('not by HEAD', async () => {
    const { port, delivered } = await rig();
    await ask(port, { method: 'HEAD', headers: prometheus });
    await ask(port);
    await until(() => delivered.length > 0);
    expect(delivered).toEqual([{ key: '127.0.0.1 ', scrapes: false }]);
  });

  test('not over a connection that breaks while the page is sent', async () => {
    // More than the buffers of a socket hold, so that the end cannot have left when the reader goes.
    const { port, delivered } = await rig(format => (format === 'openmetrics' ? 'x'.repeat(64 * 2 ** 20) : 'small'));
    const sent = request({ host: '127.0.0.1', port, path: '/metrics', headers: openMetrics, agent: false }).end();
    sent.on('error', () => undefined);
    await once(sent, 'response');
    sent.destroy();
    await once(sent, 'close');
    await ask(port);
    await until(() => delivered.length > 0);
    expect(delivered).toHaveLength(1);
  });

  test('not after the scrape timeout of the client', async () => {
    const { port, delivered, clock } = await rig(() => {
      clock.advance(10_001);
      return 'late';
    });
    await ask(port, { headers: prometheus });
    await ask(port);
    await until(() => delivered.length > 0);
    expect(delivered).toEqual([{ key: '127.0.0.1 ', scrapes: false }]);
  });
});
