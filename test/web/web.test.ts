import { afterEach, describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Listening } from '../../src/web/listen.js';
import { createWeb, type WebOptions } from '../../src/web/web.js';
import { ask, aServer, aStatus, type Reply, serve, webOptions } from '../support/web.js';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async server => server.close()));
});

/** Serves with these options and sends one request. */
async function answer(path: string, over: Partial<WebOptions> = {}, method = 'GET'): Promise<Reply> {
  const server = await serve(over);
  open.push(server);
  return ask(server.port, path, method);
}

const broken = () => {
  throw new Error('broken');
};

const everyPath = ['/', '/style.css', '/icon.svg', '/metrics', '/-/healthy', '/healthz', '/-/ready', '/readyz'];

describe('metrics', () => {
  test('are served as they are rendered', async () => {
    const reply = await answer('/metrics');
    expect(reply).toMatchObject({ status: 200, body: 'vb365_up 1\n' });
    expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('can be at another path, and the page links there', async () => {
    const over = { metricsPath: '/probe/metrics' };
    expect((await answer('/probe/metrics', over)).body).toBe('vb365_up 1\n');
    expect((await answer('/metrics', over)).status).toBe(404);
    expect((await answer('/', over)).body).toContain('href="./probe/metrics"');
  });

  test('replace the page when they are at its path', async () => {
    expect((await answer('/', { metricsPath: '/' })).body).toBe('vb365_up 1\n');
  });

  test.each(['metrics', '', '/a?b', '/-/healthy', '/-/reload', '/:all', '/a b'])('cannot be at %p', metricsPath => {
    const make = () => createWeb(webOptions({ metricsPath }));
    expect(make).toThrow(`Could not serve metrics at "${metricsPath}": `);
    expect(make).toThrow(expect.objectContaining({ reason: 'config' }));
  });

  test('that fail are answered with one line without the reason, which is reported', async () => {
    const failure = new Error('secret detail');
    const options = webOptions({ metrics: async () => Promise.reject(failure) });
    const reply = await answer('/metrics', options);
    expect(reply).toMatchObject({ status: 500, body: 'Internal error; see the log of the exporter\n' });
    expect(options.reported).toEqual([expect.objectContaining({ reason: 'bug', cause: failure })]);
    expect(options.reported[0]).toBeInstanceOf(ExporterError);
  });
});

describe('probes', () => {
  test.each(['/-/healthy', '/healthz'])('%s reports healthy', async path => {
    expect(await answer(path)).toMatchObject({ status: 200, body: 'vb365-exporter is healthy\n' });
  });

  test.each(['/-/ready', '/readyz'])('%s reports readiness and the reason', async path => {
    expect(await answer(path)).toMatchObject({ status: 200, body: 'every server was polled\n' });
    const notYet = { ready: () => ({ ready: false, why: 'not every server was polled' }) };
    expect(await answer(path, notYet)).toMatchObject({ status: 503, body: 'not every server was polled\n' });
  });

  test('stay healthy when metrics and page fail', async () => {
    const over = { metrics: broken, status: broken };
    expect((await answer('/', over)).status).toBe(500);
    expect((await answer('/metrics', over)).status).toBe(500);
    expect((await answer('/-/healthy', over)).status).toBe(200);
  });
});

describe('the reload', () => {
  const done = { reload: async () => 'Configuration reloaded' };

  test.each(['POST', 'PUT'])('by %s answers with its message', async method => {
    expect(await answer('/-/reload', done, method)).toMatchObject({
      status: 200,
      body: 'Configuration reloaded\n',
    });
  });

  test('that fails answers with the reason', async () => {
    const error = new ExporterError('config', 'Could not read it:\n  servers is missing');
    const reply = await answer('/-/reload', { reload: async () => Promise.reject(error) }, 'POST');
    expect(reply).toMatchObject({ status: 500, body: 'Could not read it:\n  servers is missing\n' });
  });

  test('that fails unexpectedly does not disclose the reason', async () => {
    const options = webOptions({ reload: async () => Promise.reject(new Error('secret detail')) });
    const reply = await answer('/-/reload', options, 'POST');
    expect(reply).toMatchObject({ status: 500, body: 'Internal error; see the log of the exporter\n' });
    expect(options.reported).toHaveLength(1);
  });

  test('is forbidden unless enabled', async () => {
    const reply = await answer('/-/reload', {}, 'POST');
    expect(reply).toMatchObject({ status: 403, body: expect.stringContaining('--web.enable-lifecycle') });
  });

  test('refuses GET', async () => {
    const reply = await answer('/-/reload', done);
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } });
  });
});

describe('every response', () => {
  test.each([...everyPath, '/nowhere'])('of %s has the security headers', async path => {
    const { headers } = await answer(path);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'self';/),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
  });

  test.each(everyPath)('to HEAD %s is the one to GET without its body', async path => {
    const [got, head] = [await answer(path), await answer(path, {}, 'HEAD')];
    expect(head).toMatchObject({ status: got.status, body: '' });
    expect(head.headers['content-type']).toBe(got.headers['content-type']);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(got.body)));
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('to %s is 405', async method => {
    const reply = await answer('/metrics', {}, method);
    expect(reply).toMatchObject({ status: 405, body: 'Method not allowed\n', headers: { allow: 'GET, HEAD' } });
  });

  test.each(['/nowhere', '/metrics/', '/Metrics', '//', '/%', '/%2e%2e/', '/-/healthy/x', '/__proto__', '*'])(
    'to the unknown path %s is one line of plain text',
    async path => {
      const reply = await answer(path);
      expect(reply).toMatchObject({ status: 404, body: 'Not found\n' });
      expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    },
  );

  test('does not depend on a query', async () => {
    expect((await answer('/metrics?name[]=vb365_up&a=%')).status).toBe(200);
  });
});

describe('the landing page', () => {
  test('shows the status of a server', async () => {
    const { body, headers } = await answer('/');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const shown = [
      'vb365-exporter',
      '1.2.3',
      'hq',
      'https://vb365.example.com:4443',
      '>up<',
      '>6.1.0.423<',
      '>API v6<',
      '>12 s ago<',
    ];
    expect(
      [...shown, '>2<', 'metrics: 0, logs: 3', './metrics', './-/healthy', './-/ready'].filter(
        text => !body.includes(text),
      ),
    ).toEqual([]);
  });

  test('adapts to narrow screens, light and dark', async () => {
    expect((await answer('/')).body).toContain('name="viewport" content="width=device-width, initial-scale=1"');
    const style = await answer('/style.css');
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8');
    expect(style.body).toContain('color-scheme: light dark');
  });

  test('has an icon that its content security policy allows', async () => {
    const { body, headers } = await answer('/');
    expect(body).toContain('<link rel="icon" href="./icon.svg" type="image/svg+xml" />');
    expect(headers['content-security-policy']).toContain("img-src 'self'");
    const icon = await answer('/icon.svg');
    expect(icon).toMatchObject({ status: 200, body: expect.stringMatching(/^<svg xmlns/) });
    expect(icon.headers['content-type']).toBe('image/svg+xml; charset=utf-8');
  });

  test('has no script, inline style or other origin, which its policy forbids', async () => {
    const { body } = await answer('/');
    expect(body).not.toMatch(/<script|<style|style=|<img|\son\w+=|(?:src|href)="(?!\.\/)/);
  });

  test('shows what is unknown, and why a server is down', async () => {
    const fresh = aServer({
      state: 'unknown',
      apiVersion: '',
      lastPollAgoMs: undefined,
      version: '',
      open: undefined,
      sinks: [],
    });
    const down = aServer({ state: 'down', error: 'The server refused the password' });
    const { body } = await answer('/', { status: () => aStatus([fresh, down]) });
    expect(body.match(/>(unknown|never)</g)).toEqual(['>unknown<', '>unknown<', '>never<', '>unknown<']);
    expect(body).toContain('The server refused the password');
    expect(body).toContain('class="down"');
  });

  test('lists servers that are down first, and the oldest open sessions with their age and events', async () => {
    const sessions = Array.from({ length: 23 }, (_, index) => ({
      id: `s${String(index)}`,
      ageMs: index * 60_000,
      events: 7,
    }));
    const servers = [aServer({ open: sessions }), aServer({ name: 'branch', state: 'down', open: [] })];
    const { body } = await answer('/', { status: () => aStatus(servers) });
    expect(body.indexOf('<strong>branch<')).toBeLessThan(body.indexOf('<strong>hq<'));
    const shown = [...body.matchAll(/<code>(s\d+)</g)].map(([, id]) => id);
    expect(shown).toEqual(Array.from({ length: 20 }, (_, index) => `s${String(22 - index)}`));
    expect(body).toContain('The oldest 20; 3 more are open.');
    expect(body).toMatch(/<code>s22<[^]*?>22 min<[^]*?>7</);
  });

  test('lists failed events by id, type and time, and explains what a restart does to the list', async () => {
    const restart = 'This list is kept in memory and is empty after a restart; the counters are not.';
    const failed = [{ server: 'hq', id: 'e1', type: 'Restore', at: '2026-11-25T08:59:59.1234567Z' }];
    const { body } = await answer('/', { status: () => ({ ...aStatus(), failed }) });
    expect(body).toMatch(
      /<code>e1<[^]*>hq<[^]*>Restore<[^]*datetime="2026-11-25T08:59:59.1234567Z">2026-11-25 08:59:59</,
    );
    expect(body).toContain(restart);
    const none = (await answer('/')).body;
    expect(none).toContain('<p>None since the exporter started</p>');
    expect(none).toContain(restart);
  });

  test('has no table without servers', async () => {
    const { body } = await answer('/', { status: () => aStatus([]) });
    expect(body).toContain('<p>None</p>');
    expect(body).not.toContain('<table');
  });

  test.each([
    [0, '0 s ago'],
    [-5000, '0 s ago'],
    [999, '0 s ago'],
    [119_999, '119 s ago'],
    [120_000, '2 min ago'],
    [7_199_999, '119 min ago'],
    [7_200_000, '2 h ago'],
    [172_800_000, '2 d ago'],
  ])('writes %d ms as %s', async (lastPollAgoMs, text) => {
    expect((await answer('/', { status: () => aStatus([aServer({ lastPollAgoMs })]) })).body).toContain(`>${text}<`);
  });

  test('escapes hostile values everywhere', async () => {
    const hostile = `"'><script>alert(1)</script>&amp;`;
    const server = aServer({
      name: hostile,
      origin: hostile,
      error: hostile,
      apiVersion: hostile,
      version: hostile,
      open: [{ id: hostile, ageMs: 1, events: 1 }],
      sinks: [{ name: hostile, backlog: 0 }],
    });
    const failed = [{ server: hostile, id: hostile, type: hostile, at: hostile }];
    const status = { version: hostile, at: hostile, servers: [server], failed };
    const { body } = await answer('/', { status: () => status });
    expect(body).not.toContain('<script');
    expect(body.split('&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;')).toHaveLength(15);
  });
});
