import { describe, expect, test } from '@jest/globals';
import { type Owner } from '../../src/model/owner.js';
import { ownershipOf } from '../../src/model/ownership.js';
import { workload } from '../../src/model/session.js';
import { event, session } from '../support/restore.js';

const alice: Owner = {
  kind: 'user',
  id: '1',
  name: 'Alice Smith',
  email: 'Alice.Smith@contoso.com',
  accounts: ['alice.smith@contoso.com', 'asmith_contoso_com'],
  derived: false,
};

describe('the relation of the initiator to the owner', () => {
  test.each([
    ['alice.smith@contoso.com', alice, 'self'],
    ['ALICE.SMITH@CONTOSO.COM', alice, 'self'],
    ['ASmith@contoso.com', alice, 'self'],
    ['bob@contoso.com', alice, 'other'],
    ['CONTOSO\\alice', alice, 'unknown'],
    ['alice', alice, 'unknown'],
    ['', alice, 'unknown'],
    ['i:0#.f|membership|bob@contoso.com', alice, 'unknown'],
    ['Bob (bob@contoso.com)', alice, 'unknown'],
    ['bob_fabrikam.com#EXT#@contoso.com', alice, 'other'],
    ['bob@contoso.com', { ...alice, shared: true }, 'unknown'],
    ['alice.smith@contoso.com', { ...alice, shared: true }, 'self'],
    ['alice.smith@contoso.com', { ...alice, name: '', email: '', accounts: [] }, 'unknown'],
    ['alice.smith@contoso.com', { ...alice, kind: 'site', accounts: [] }, 'unknown'],
  ] as const)('%s and %j: %s', (initiator, owner, relation) => {
    expect(ownershipOf(session({ initiator }), event({ owner }))).toEqual({ owner, relation });
  });
});

describe('the owner of an event without ids', () => {
  test.each([
    ['Vex', 'Arya Stark\\Inbox', '', { kind: undefined, name: 'Arya Stark' }],
    ['Vex', 'House Lannister - Teams\\Conversation History\\Team Chat', '', { name: 'House Lannister - Teams' }],
    ['Veod', '/personal/orgUser/Documents/Image.jpg', '', { kind: 'user', name: 'orgUser' }],
    ['Vesp', '/sites/commonName/SitePages', '', { kind: 'site', name: 'commonName' }],
    ['Vesp', 'commonName/sites/commonName', '', { kind: 'site', name: 'commonName' }],
    ['Vesp', '/personal/orgUser/Documents', '', { kind: 'user', name: 'orgUser' }],
    ['Vet', 'Sales\\General\\Posts', 'Sales', { kind: undefined, name: 'Sales' }],
    ['Vex', 'Arya Stark\\Inbox', 'Jon Snow', { name: 'Arya Stark' }],
  ] as const)('of a %s session, from %s with scope "%s", is %j', (type, source, scope, expected) => {
    const found = ownershipOf(
      session({ workload: workload(type), scope, initiator: 'alice@contoso.com' }),
      event({ source }),
    );
    expect(found).toMatchObject({ owner: { id: '', email: '', derived: true, ...expected }, relation: 'unknown' });
  });

  test.each([
    [{ scope: 'Alice@Contoso.com' }, '', 'alice@contoso.com', 'self'],
    [{}, 'alice@contoso.com\\Inbox', 'ALICE@contoso.com', 'self'],
    [{}, '/personal/alice_contoso_com/Documents', 'Alice@contoso.com', 'self'],
    [{}, '/personal/bob_contoso_com/Documents', 'alice@contoso.com', 'unknown'],
    [{}, '/sites/alice_contoso_com/Documents', 'alice@contoso.com', 'unknown'],
    [{}, '/personal/alice/Documents', 'CONTOSO\\alice', 'unknown'],
  ] as const)('of a session with %j, from "%s", is to %s: %s', (scope, source, initiator, relation) => {
    const type = workload(source.startsWith('/') ? 'Veod' : 'Vex');
    const found = ownershipOf(session({ scope: '', ...scope, workload: type, initiator }), event({ source }));
    expect(found).toMatchObject({ owner: { derived: true }, relation });
  });

  test.each([
    ['Vex', ''],
    ['Vex', 'Inbox'],
    ['Vet', 'Sales\\General\\Posts'],
    ['Veod', '/Documents/Image.jpg'],
    ['Vnew', '/sites/a'],
  ])('of a %s session, from "%s", is not guessed', (type, source) => {
    expect(ownershipOf(session({ workload: workload(type), scope: '' }), event({ source }))).toBeUndefined();
  });
});
