import { afterEach, expect, test } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, errors } from 'undici';
import { type Keep, receive } from '../../src/source/receive.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async close => close()));
});

/** A real server that answers so, and the way to it. */
async function begin(listener: RequestListener): Promise<Readonly<{ origin: string; agent: Agent; server: Server }>> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const agent = new Agent();
  open.push(
    async () => agent.destroy(),
    async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  );
  return { origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, agent, server };
}

const clock = { now: () => 1_234 };
const { signal: never } = new AbortController();

async function get(listener: RequestListener, keep?: Keep, signal = never) {
  const { origin, agent } = await begin(listener);
  return receive(agent, { origin, path: '/', method: 'GET' }, { signal, clock, keep });
}

test('the text is that of the bytes, wherever they are cut', async () => {
  const text = `${'Zoë – 请假单 🙂 '.repeat(9_000)}.`;
  const bytes = Buffer.from(text);
  const answer = await get((_, response) => {
    for (let from = 0; from < bytes.length; from += 10_007) response.write(bytes.subarray(from, from + 10_007));
    response.end();
  });
  expect(answer.body === text).toBe(true);
  expect(answer).toMatchObject({ status: 200, receivedMs: 1_234 });
});

test('a byte order mark is no part of it, and half a character at the end is a mark of its own', async () => {
  const answer = await get((_, response) => void response.end(Buffer.from('efbbbf7b7dc3', 'hex')));
  expect(answer.body).toBe('{}\uFFFD');
});

test('pieces are small whatever comes at once, and what is kept of them is the body', async () => {
  const lengths: number[] = [];
  const counting: Keep = (text, piece) => {
    lengths.push(piece.length);
    return `${text}.`;
  };
  const answer = await get((_, response) => void response.end('x'.repeat(200_000)), counting);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(16_384);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(200_000);
  expect(answer.body).toBe('.'.repeat(lengths.length));
});

test('of any other answer than 200 all is kept', async () => {
  const answer = await get(
    (_, response) => void response.writeHead(401).end('refused'),
    () => '',
  );
  expect(answer).toMatchObject({ status: 401, body: 'refused' });
});

test.each(['while it comes', 'at its end'])(
  'a fault of ours %s is told as one, not as one of the network',
  async when => {
    const listener: RequestListener = (_, response) => {
      if (when === 'at its end') response.end();
      else response.write('{');
    };
    const asked = get(listener, () => {
      throw new TypeError('fault');
    });
    await expect(asked).rejects.toMatchObject({ name: 'ExporterError', reason: 'bug', message: 'fault' });
  },
);

test('an answer before the final one is none', async () => {
  const answer = await get((_, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    response.writeHead(404, { 'x-own': 'yes' }).end('gone');
  });
  expect(answer).toMatchObject({ status: 404, body: 'gone', headers: { 'x-own': 'yes' } });
  expect(answer.headers).not.toHaveProperty('link');
});

test.each(['before it is begun', 'before the answer', 'in the middle of it'])(
  'stopped %s, it ends at once and lets the connection go',
  async when => {
    const stop = new AbortController();
    const gone = Promise.withResolvers<void>();
    if (when === 'before it is begun') {
      stop.abort();
      gone.resolve();
    }
    const asked = get(
      (_, response) => {
        response.once('close', () => gone.resolve());
        if (when === 'before the answer') return stop.abort();
        response.write('{');
      },
      text => {
        stop.abort();
        return text;
      },
      stop.signal,
    );
    await expect(asked).rejects.toThrow(errors.RequestAbortedError);
    await gone.promise;
  },
);

test('stopped while it waits for its turn, it is not sent', async () => {
  const paths: (string | undefined)[] = [];
  const { origin } = await begin((request, response) => {
    paths.push(request.url);
    response.end();
  });
  const agent = new Agent({ connections: 1 });
  open.push(async () => agent.destroy());
  const ask = async (path: string, signal = never) =>
    receive(agent, { origin, path, method: 'GET' }, { signal, clock });
  const stop = new AbortController();
  const [first, second] = [ask('/1'), ask('/2', stop.signal)];
  stop.abort();
  await expect(second).rejects.toThrow(errors.RequestAbortedError);
  await first;
  await ask('/3');
  expect(paths).toEqual(['/1', '/3']);
});

test('stopped while the connection is not there yet, it does not wait for it', async () => {
  const stop = new AbortController();
  const agent = new Agent({ connect: () => stop.abort() });
  open.push(async () => agent.destroy());
  const options = { origin: 'http://vb365.invalid', path: '/', method: 'GET' } as const;
  const asked = receive(agent, options, { signal: stop.signal, clock });
  await expect(asked).rejects.toThrow(errors.RequestAbortedError);
});
