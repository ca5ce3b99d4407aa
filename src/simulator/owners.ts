import type { RequestHandler } from 'express';
import { addressOf, type Organization, organizations } from './cast.js';
import { writePage } from './page.js';
import { notFound, refuse } from './problem.js';
import { queryOf, readPaging } from './query.js';
import type { Quirks } from './quirks.js';
import { uuidOf } from './random.js';
import type { Dialect, Json } from './wire.js';
import type { SimOwner, Touched, World } from './world.js';

/** A person who has left: their data is still in the backups, but the server no longer knows them. */
const departed = 'Lee Gu';
const sharedMailbox = 'Nestor Wilke';

/** The folder of a person's OneDrive: their user principal name, with underscores. */
export const folderOf = (person: string, { name }: Pick<Organization, 'name'>): string =>
  addressOf(person, name).replace(/[.@]/g, '_');

const organizationIdOf = (seed: number, organization: Organization): string =>
  uuidOf(seed, organizations.indexOf(organization), -2);

type Owned = Readonly<{ seed: number; organization: Organization }>;

/** Two GUIDs run together, as real servers were seen to write them. */
const userIdOf = ({ seed, organization }: Owned, person: string): string =>
  organizationIdOf(seed, organization) +
  uuidOf(seed, organizations.indexOf(organization), organization.people.indexOf(person), -3);

const idOfSite = ({ seed, organization }: Owned, site: string, salt: number): string =>
  uuidOf(seed, organizations.indexOf(organization), organization.sites.indexOf(site), salt);

const salts = { siteId: -4, teamId: -5, groupId: -6 } as const;

type TouchedItem = Readonly<{ person: string; site: string; /** As in `ItemKind`. */ place: string }>;

/** What an event of a session of this type touches; without an item, the organization alone. A site has a group with a mailbox. */
export function touchedBy(owned: Owned, type: string, item?: TouchedItem): Touched {
  const organizationId = organizationIdOf(owned.seed, owned.organization);
  const isPersons = item !== undefined && !item.place.startsWith('{site}') && (type === 'Vex' || type === 'Veod');
  const ofSite = (salt: number): string => (item === undefined ? '' : idOfSite(owned, item.site, salt));
  return {
    organizationId,
    backedUpOrganizationId: organizationId,
    userId: isPersons ? userIdOf(owned, item.person) : '',
    groupId: type === 'Vet' || (type === 'Vex' && !isPersons) ? ofSite(salts.groupId) : '',
    siteId: type === 'Vesp' ? ofSite(salts.siteId) : '',
    teamId: type === 'Vet' ? ofSite(salts.teamId) : '',
  };
}

/** Everyone whom generated events touch and who still exists. */
export const generatedOwners = (seed: number): readonly SimOwner[] =>
  organizations.flatMap(organization => {
    const owned = { seed, organization };
    const organizationId = organizationIdOf(seed, organization);
    const users = organization.people.map((person): SimOwner => ({
      kind: 'user',
      id: userIdOf(owned, person),
      name: person,
      organizationId,
      accountType: person === sharedMailbox ? 'SharedMailbox' : 'User',
      email: addressOf(person, organization.name),
      url: `https://${organization.short}-my.sharepoint.com/personal/${folderOf(person, organization)}`,
    }));
    const sites = organization.sites.flatMap((name): readonly SimOwner[] => [
      {
        kind: 'site',
        id: idOfSite(owned, name, salts.siteId),
        name,
        organizationId,
        url: `https://${organization.short}.sharepoint.com/sites/${encodeURIComponent(name)}`,
      },
      { kind: 'team', id: idOfSite(owned, name, salts.teamId), name, organizationId },
      {
        kind: 'group',
        id: idOfSite(owned, name, salts.groupId),
        name,
        organizationId,
        email: addressOf(name, organization.name),
      },
    ]);
    const itself: SimOwner = { kind: 'organization', id: organizationId, name: organization.name, organizationId };
    return [itself, ...users.filter(({ name }) => name !== departed), ...sites];
  });

type OwnerContext = Readonly<{ world: World; quirks: Quirks }>;

/** `GET /v8/ProtectedUsers/{id}` and the like. Source: vb365-owners-v8.openapi.json. */
export const oneOwner =
  (kind: SimOwner['kind']) =>
  ({ world, quirks }: OwnerContext, { version }: Dialect): RequestHandler =>
  (request, response) => {
    if (quirks.owners === 'refused') return refuse(response, denied, version);
    const owner = world.owner(kind, String(request.params['id']));
    if (owner === undefined) refuse(response, notFound(quirks.missingStatus), version);
    else response.json(writeOwner(owner));
    return undefined;
  };

/** `GET /v8/ProtectedUsers` and `GET /v8/Organizations`; the filters are by organization. */
export const ownerList =
  (kind: SimOwner['kind'], path: string) =>
  ({ world, quirks }: OwnerContext, dialect: Dialect): RequestHandler =>
  (request, response) => {
    if (quirks.owners === 'refused') return refuse(response, denied, dialect.version);
    const query = queryOf(request.url);
    const paging = readPaging(query, dialect);
    if ('status' in paging) return refuse(response, paging, dialect.version);
    const wanted = query.get('backeduporganizationid') ?? query.get('organizationid');
    const owners = world.owners(kind).filter(({ organizationId }) => wanted === undefined || organizationId === wanted);
    const rows = owners.slice(paging.offset, paging.offset + paging.limit).map(writeOwner);
    response.json(writePage({ rows, paging, total: owners.length, path, query: new Map() }, dialect));
    return undefined;
  };

const denied = { status: 403, code: 'ResourceAccessDenied', message: 'Access is denied' } as const;

function writeOwner(owner: SimOwner): Json {
  const { id, name, kind, organizationId, email, url } = owner;
  if (kind === 'organization')
    return { id, name, type: 'Office365', officeName: name, backedUpOrganizationId: organizationId };
  const msid = id.slice(-36);
  const common = { id, msid, displayName: name, organizationId, backedUpOrganizationId: organizationId, eTag: 1 };
  const mailbox = { id: msid, displayName: name, email, isArchive: false };
  const mailboxes = email === undefined ? [] : [{ ...mailbox, isArchive: true, email: `archive.${email}` }, mailbox];
  switch (kind) {
    case 'user':
      return {
        ...common,
        accountType: owner.accountType ?? 'User',
        mailboxes,
        oneDrives: url === undefined ? [] : [{ id, displayName: name, url }],
        sites: [],
      };
    case 'group':
      return { ...common, mailboxes, sites: [] };
    case 'site':
      return { ...common, url };
    case 'team':
      return common;
  }
}
