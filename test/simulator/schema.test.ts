import { describe, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { existsSync, readFileSync } from 'node:fs';
import { generatedOwners } from '../../src/simulator/owners.js';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { fixture } from '../support/fixture.js';
import { drivenClock, visiting, type Visitor } from '../support/simulator.js';

const addFormats = addFormatsModule.default;

const fileOf = (version: number): string => `../shared/api/vb365-restore-v${version}.openapi.json`;
const ownersFile = '../shared/api/vb365-owners-v8.openapi.json';

/** A validator for one of the vendor's schemas; properties that the schema does not name are refused. */
function validator(file: string, schema: string): ValidateFunction {
  const document = JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    key === 'discriminator' ? undefined : value,
  ) as {
    components: { schemas: Record<string, { type?: string; properties?: object; additionalProperties?: unknown }> };
  };
  for (const definition of Object.values(document.components.schemas))
    if (definition.properties !== undefined) definition.additionalProperties ??= false;
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  ajv.addFormat('int32', { type: 'number', validate: value => Number.isInteger(value) && Math.abs(value) < 2 ** 31 });
  ajv.addFormat('int64', { type: 'number', validate: value => Number.isSafeInteger(value) });
  ajv.addSchema(document, 'api');
  return ajv.compile({ $ref: `api#/components/schemas/${schema}` });
}

/** Answers of every kind, with the schema each must satisfy. */
async function answers(visitor: Visitor, version: number): Promise<(readonly [string, unknown])[]> {
  const base = `/v${version}/RestoreSessions`;
  const sessions = await visitor.page(`${base}?limit=1000`);
  const all: (readonly [string, unknown])[] = [['PageOfRESTRestoreSession', sessions]];
  for (const { id } of sessions.results) {
    const events = await visitor.page(`${base}/${String(id)}/Events?limit=1000`);
    all.push(['PageOfRESTRestoreSessionEvent', events]);
    all.push(['RESTRestoreSession', (await visitor.get(`${base}/${String(id)}`)).json]);
    const eventId = String(events.results.at(-1)?.['id']);
    all.push(['RESTRestoreSessionEvent', (await visitor.get(`${base}/${String(id)}/Events/${eventId}`)).json]);
  }
  all.push(['OAuthTokenResponse', (await visitor.login(version)).json]);
  all.push(['RESTExceptionInfo', (await visitor.login(version, { password: 'wrong' })).json]);
  all.push(['RESTExceptionInfo', (await visitor.get(`${base}/00000000-0000-4000-8000-000000000000`)).json]);
  all.push(['RESTExceptionInfo', (await visitor.get(`${base}?limit=none`)).json]);
  all.push(['RESTServiceInstance', (await visitor.get(`/v${version}/ServiceInstance`)).json]);
  if (version === 8) all.push(['RESTHealthReport', (await visitor.get('/v8/Health')).json]);
  return all;
}

const resources = {
  user: ['ProtectedUsers', 'RESTProtectedUser'],
  group: ['ProtectedGroups', 'RESTProtectedGroup'],
  site: ['ProtectedSites', 'RESTProtectedSite'],
  team: ['ProtectedTeams', 'RESTProtectedTeam'],
  organization: ['Organizations', 'RestOrganizationComposed'],
} as const;

/** The owner of every kind that generated events touch, and the lists. */
async function ownerAnswers(visitor: Visitor): Promise<(readonly [string, unknown])[]> {
  const all: (readonly [string, unknown])[] = [
    ['PageOfRESTProtectedUser', await visitor.page('/v8/ProtectedUsers')],
    ['PageOfRestOrganizationComposed', await visitor.page('/v8/Organizations')],
  ];
  for (const { kind, id } of generatedOwners(1)) {
    const [resource, schema] = resources[kind];
    all.push([schema, (await visitor.get(`/v8/${resource}/${id}`)).json]);
  }
  return all;
}

/** The owners that the tests of the source read. */
const ownersOfFixture = (): (readonly [string, unknown])[] =>
  Object.entries(fixture('v8/owners.json') as object).map(([path, body]: [string, unknown]) => {
    const [, schema = ''] = Object.values(resources).find(([resource]) => path.startsWith(`${resource}/`)) ?? [];
    return [schema, body];
  });

/** A past, and a present with running events and working sessions. */
async function lively(version: number, visit: (visitor: Visitor) => Promise<void>): Promise<void> {
  const clock = drivenClock();
  const quirks = { ...defaultQuirks, totalCount: true };
  await visiting(
    version,
    { clock, quirks, history: { sessions: 12, eventsEach: 15, days: 3 }, live: {} },
    async visitor => {
      clock.advance(21_000);
      await visit(visitor);
    },
  );
}

test.each([6, 7, 8])('v%d answers have the properties that the vendor requires', async version => {
  await lively(version, async visitor => {
    const all = await answers(visitor, version);
    expect(all.every(([, body]) => typeof body === 'object' && body !== null)).toBe(true);
    const { results } = await visitor.page(`/v${version}/RestoreSessions`);
    for (const key of ['id', 'type', 'creationTime', 'state', 'result'])
      expect(results.every(session => typeof session[key] === 'string')).toBe(true);
    expect(new Set(results.map(session => session['state']))).toEqual(new Set(['Working', 'Stopped']));
  });
});

describe('the vendor’s OpenAPI files, where they are at hand,', () => {
  const there = [6, 7, 8].filter(version => existsSync(fileOf(version)));

  test('accept every answer of v6, v7 and v8, and no property more', async () => {
    for (const version of there)
      await lively(version, async visitor => {
        for (const [schema, body] of await answers(visitor, version)) {
          const validate = validator(fileOf(version), schema);
          validate(body);
          expect({ version, schema, errors: validate.errors ?? [] }).toEqual({ version, schema, errors: [] });
        }
      });
  });

  test('accept the fixture of the events of v8', () => {
    for (const version of there.filter(each => each === 8)) {
      const validate = validator(fileOf(version), 'PageOfRESTRestoreSessionEvent');
      validate(fixture('v8/source-events.json'));
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  test('accept every owner of v8, and no property more', async () => {
    await lively(8, async visitor => {
      const found = existsSync(ownersFile) ? [...(await ownerAnswers(visitor)), ...ownersOfFixture()] : [];
      for (const [schema, body] of found) {
        const validate = validator(ownersFile, schema);
        validate(body);
        expect({ schema, errors: validate.errors ?? [] }).toEqual({ schema, errors: [] });
      }
    });
  });

  test('are seen to refuse: a value of no documentation', async () => {
    const history = { sessions: 7, eventsEach: 9, days: 1 };
    for (const version of there)
      await visiting(version, { history, quirks: { unknownValues: true } }, async visitor => {
        const page = await visitor.page(`/v${version}/RestoreSessions`);
        expect(validator(fileOf(version), 'PageOfRESTRestoreSession')(page)).toBe(false);
      });
  });
});
