import { describe, expect, test } from '@jest/globals';
import { onPastStage, type Ran } from '../support/past.js';

const json = ['report', '--format', 'json'] as const;

const rowsOf = ({ printed }: Pick<Ran, 'printed'>): readonly Readonly<Record<string, unknown>>[] =>
  (JSON.parse(printed.join('\n')) as Readonly<{ rows: readonly Readonly<Record<string, unknown>>[] }>).rows;

const named = (printed: readonly string[]): readonly string[] => printed.filter(line => line.includes(',org-'));

describe('report and a server', () => {
  test.each(['/token', '/RestoreSessions', '/Statistics', '/Organizations/{id}', '/ProtectedUsers/{id}'])(
    'one 503 on %s changes nothing',
    async route => {
      await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
        const before = await run(['report', '--items']);
        const sessions = await run(['report']);
        for (const [flags, expected] of [
          [['report', '--items'], before],
          [['report'], sessions],
        ] as const) {
          let failures = 1;
          simulator.intercept((request, { response, proceed }) => {
            if (failures === 0 || !request.route.endsWith(route)) return proceed();
            failures -= 1;
            return void response.writeHead(503).end();
          });
          expect(await run(flags)).toEqual(expected);
        }
      });
    },
  );

  test.each([403, 404, 500])('a server that answers %i instead of its organizations costs these', async status => {
    await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
      let asked = 0;
      simulator.intercept(({ route }, { response, proceed }) => {
        if (!route.endsWith('/Organizations')) return proceed();
        asked += 1;
        return void response.writeHead(status, { 'retry-after': '0' }).end('{}');
      });
      const { code, errors } = await run(json);
      expect([code, errors]).toEqual([
        0,
        ['hq: organizations that nobody has ever restored are left out, because the organizations could not be read'],
      ]);
      asked = 0;
      expect(await run(['report'])).toMatchObject({ code: 0, errors: [] });
      expect(asked).toBe(0);
    });
  });

  test('reads all pages of organizations, and ends when they repeat', async () => {
    await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
      const answer = { total: 1_500, isRepeated: false };
      simulator.intercept((request, { response, proceed }) => {
        if (!request.route.endsWith('/Organizations')) return proceed();
        const offset = Number(request.query.get('offset'));
        const first = answer.isRepeated ? 0 : offset;
        const results = Array.from({ length: Math.min(1_000, answer.total - first) }, (_, index) => ({
          name: `org-${String(first + index)}`,
          officeName: '',
        }));
        return void response.end(JSON.stringify({ offset, limit: 1_000, results }));
      });
      const flags = ['report', '--table', 'overdue'] as const;
      expect(named((await run(flags)).printed)).toHaveLength(1_500);
      answer.isRepeated = true;
      const { code, printed, errors } = await run(flags);
      expect([code, named(printed), errors.length]).toEqual([0, [], 1]);
    });
  });

  test.each([
    [[], 1],
    [['--concurrency', '3'], 3],
  ])('sends one request at a time, unless told otherwise: %j', async (flags, limit) => {
    await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
      let [inFlight, most] = [0, 0];
      simulator.intercept((_request, { response, proceed }) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        response.on('close', () => (inFlight -= 1));
        // Gives a second request time to arrive.
        setImmediate(() => setImmediate(() => setImmediate(proceed)));
      });
      const { code, printed } = await run(['report', ...flags]);
      expect([code, most]).toEqual([0, limit]);
      simulator.intercept(undefined);
      expect((await run(['report'])).printed).toEqual(printed);
    });
  });

  test.each([500, 429])(
    'a server that answers %i instead of the counts of its sessions costs these, not the report',
    async status => {
      await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
        const whole = rowsOf(await run(json));
        simulator.intercept(({ route }, { response, proceed }) =>
          route.endsWith('/Statistics') ? void response.writeHead(status, { 'retry-after': '0' }).end() : proceed(),
        );
        const { code, printed, errors } = await run(json);
        expect([code, errors]).toEqual([
          0,
          [`hq: ${String(whole.length)} sessions have no expected items, because they could not be read`],
        ]);
        const without = whole.map(row => ({ ...row, expected_items: undefined, expected_restored: undefined }));
        expect(rowsOf({ printed })).toEqual(without);
      });
    },
  );

  test.each([403, 503])('says how many owners have no name because the server answers %i', async status => {
    await onPastStage({ versions: [8] }, {}, async ({ run, simulator }) => {
      simulator.intercept(({ route }, { response, proceed }) =>
        /Protected|Organizations/.test(route)
          ? void response.writeHead(status, { 'retry-after': '0' }).end()
          : proceed(),
      );
      const { code, errors } = await run(['report', '--items']);
      expect([code, errors]).toEqual([
        0,
        [expect.stringMatching(/^hq: \d+ owners of restored data have no name, because they could not be read$/)],
      ]);
    });
  });
});
