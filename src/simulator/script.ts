import type { Random } from '../kernel/clock.js';
import type { Nanos } from '../model/time.js';
import {
  type Initiator,
  initiators,
  type ItemKind,
  oddNames,
  type Organization,
  organizations,
  portalReasons,
  type SessionType,
  sessionScopes,
  sessionTypes,
  troubles,
  verbs,
  workloadKinds,
} from './cast.js';
import { folderOf, touchedBy } from './owners.js';
import type { Quirks } from './quirks.js';
import { between, dice, hash, pick, type Some, uuidOf, weighted } from './random.js';
import type { SessionDraft, SimEvent } from './world.js';

/** Which made-up session is meant: the same scene gives the same session and events, always. */
export type Scene = Readonly<{ seed: number; number: number; quirks: Quirks }>;

/** A session before it begins: what does not depend on when it does. */
export type Role = Readonly<{
  id: string;
  type: SessionType;
  organization: Organization;
  /** What the session will have come to when it stops; no event is worse, and one is as bad. */
  result: string;
  /** Default: drawn. */
  initiator?: Initiator;
}>;

/** The part that session number n plays. Four numbers in a row are of four workloads. */
export function roleOf({ seed, number }: Scene): Role {
  const random = dice(seed, number, 1);
  return {
    id: uuidOf(seed, number, -1),
    type: sessionTypes[number % sessionTypes.length] ?? 'Vex',
    organization: pick(random, organizations),
    result: weighted<string>(random, [
      ['Success', 7],
      ['Warning', 2],
      ['Failed', 2],
    ]),
  };
}

/** The session that begins at `createdAt`, still working. */
export function sessionOf(scene: Scene, role: Role, createdAt: Nanos): SessionDraft {
  const random = dice(scene.seed, scene.number, 2);
  const drawn = pick(random, initiators);
  const initiator = role.initiator ?? drawn;
  const { app } = workloadKinds[role.type];
  return {
    id: role.id,
    name: `${app} restore (${pick(random, sessionScopes)} - ${localeTime(createdAt - 86_400_000_000_000n)})`,
    organization: role.organization.name,
    type: scene.quirks.unknownValues && scene.number % 7 === 6 ? 'Vepp' : role.type,
    createdAt,
    initiatedBy: initiator.name(role.organization),
    clientHost: initiator.clientHost,
    scopeName: initiator.portal ? pick(random, role.organization.people) : '',
    reason: initiator.portal ? pick(random, portalReasons) : '',
  };
}

/** An item event of the session by its order and start; the status is generated unless given. */
type Cue = Readonly<{ order: number; startedAt: Nanos; longestSeconds: number; status?: string }>;

/** What happened to one item, as it stands when it is over. */
export function itemEvent(scene: Scene, role: Role, cue: Cue): SimEvent {
  const random = dice(scene.seed, scene.number, cue.order, 3);
  const type = eventTypeOf(random, scene, cue.order);
  const status = cue.status ?? statusOf(scene, role, cue.order);
  const kind = pick<ItemKind>(random, workloadKinds[role.type].kinds);
  const filled = { person: pick(random, role.organization.people), site: pick(random, role.organization.sites) };
  const fill = filler(filled, role.organization);
  const itemName = scene.quirks.oddNames && random() < 0.2 ? pick(random, oddNames) : fill(pick(random, kind.names));
  const source = placeOf(role.type, fill(kind.place), itemName);
  const item = { itemName, itemType: kind.itemType, source, target: targetOf(random, scene, { role, type, source }) };
  return {
    ...item,
    itemSizeBytes: ['Item', 'File', 'Post'].includes(kind.itemType) || role.type === 'Vex' ? sizeOf(random) : 0,
    id: uuidOf(scene.seed, scene.number, cue.order),
    order: cue.order,
    type,
    status,
    startedAt: cue.startedAt,
    endedAt: cue.startedAt + durationOf(random, type, cue.longestSeconds),
    title: titleOf(kind.itemType, status),
    message: messageOf(item, type, { status, trouble: pick(random, troubles) }),
    touched: touchedBy({ ...scene, ...role }, role.type, { ...filled, place: kind.place }),
  };
}

/** A line of the session's own, about no item. `Restore session started` is real, the closing line assumed. */
export function lineEvent(scene: Scene, role: Role, line: { order: number; at: Nanos; text: string }): SimEvent {
  return {
    id: uuidOf(scene.seed, scene.number, line.order),
    order: line.order,
    type: 'None',
    status: 'Success',
    startedAt: line.at,
    endedAt: line.at,
    title: line.text,
    message: line.text,
    itemName: '',
    itemType: '',
    itemSizeBytes: 0,
    source: '',
    target: '',
    touched: touchedBy({ ...scene, ...role }, role.type),
  };
}

/** The event while its item is being worked on. The message of such a row is not known; this one is assumed. */
export function whileRunning(event: SimEvent): SimEvent {
  const message = `Item ${event.itemName} is being ${verbs[event.type] ?? 'processed'} ${itemPart(event)}`;
  return { ...event, status: 'Running', endedAt: undefined, title: '', message };
}

/** The made-up status of item `order`: the first item is as bad as the session's result, none is worse. */
export function statusOf({ seed, number, quirks }: Scene, { result }: Role, order: number): string {
  if (order === 1) return result;
  const draw = hash(seed, number, order, 4) % 100;
  if (draw < 8) return oddStatus(draw, quirks);
  if (draw < 18 && result !== 'Success') return 'Warning';
  return draw < 28 && result === 'Failed' ? 'Failed' : 'Success';
}

function oddStatus(draw: number, { rareStatuses, unknownValues }: Quirks): string {
  if (draw < 4 && rareStatuses) return draw < 2 ? 'Cancelled' : 'Skipped';
  return unknownValues ? 'Postponed' : 'Success';
}

/** `details` of a stopped session. Word 1 is what scripts read as items, word 4 as successes; the rest is assumed. */
export const detailsOf = (items: number, successes: number): string =>
  `${String(items)} items processed (${String(successes)} successfully)`;

const typeWeights: Some<readonly [string, number]> = [
  ['Restore', 8],
  ['View', 5],
  ['Save', 4],
  ['Export', 2],
  ['Send', 1],
];

function eventTypeOf(random: Random, { quirks }: Scene, order: number): string {
  const type = weighted(random, typeWeights);
  return quirks.unknownValues && order % 9 === 8 ? 'Copy' : type;
}

/** Viewing takes no time, restoring up to minutes: 132 of 136 real events began and ended in the same second. */
function durationOf(random: Random, type: string, longestSeconds: number): Nanos {
  const [low, high] = secondsOf[type] ?? [0, 0];
  const seconds = Math.min(low * (high / Math.max(low, 1e-9)) ** random(), longestSeconds);
  return BigInt(Math.round(seconds * 1e7)) * 100n;
}

const secondsOf: Readonly<Record<string, readonly [number, number]>> = {
  Save: [0.002, 0.9],
  Send: [0.2, 3],
  Export: [0.5, 40],
  Restore: [0.05, 600],
};

const sizeOf = (random: Random): number => between(random, 14_284, 949_716);

const messageTroubles: Readonly<Record<string, string>> = { Warning: 'warning', Failed: 'error' };

type Item = Pick<SimEvent, 'itemName' | 'itemType' | 'source' | 'target'>;

/** The grammar of vb365-rest.md 6.4; how failed, cancelled and skipped items read is assumed. */
function messageOf(item: Item, type: string, { status, trouble }: { status: string; trouble: string }): string {
  const verb = verbs[type] ?? 'processed';
  const severity = messageTroubles[status];
  if (severity !== undefined) return `Item ${item.itemName} was ${verb} with ${severity}: ${trouble} ${itemPart(item)}`;
  if (status !== 'Success') return `Item ${item.itemName} was ${status.toLowerCase()} ${itemPart(item)}`;
  return `Item ${item.itemName} was ${verb} successfully ${itemPart(item)}`;
}

const itemPart = (item: Item): string => `(type: ${item.itemType}; source: ${item.source}; target: ${item.target})`;

function titleOf(itemType: string, status: string): string {
  return status === 'Success' ? `${itemType.startsWith('IPM') ? 'Item' : itemType} is successfully restored.` : '';
}

function filler(
  { person, site }: Readonly<{ person: string; site: string }>,
  organization: Organization,
): (text: string) => string {
  const fills = { '{person}': person, '{login}': folderOf(person, organization), '{site}': site };
  return text => Object.entries(fills).reduce((filled, [mark, value]) => filled.replaceAll(mark, value), text);
}

/** Exchange says in which folder, the others where exactly. */
function placeOf(type: SessionType, place: string, itemName: string): string {
  if (type === 'Vex') return place;
  return `${place}${place.includes('\\') ? '\\' : '/'}${itemName.trim()}`;
}

type Aim = Readonly<{ role: Role; type: string; source: string }>;

function targetOf(random: Random, { seed, number, quirks }: Scene, { role, type, source }: Aim): string {
  const { short } = role.organization;
  const job = uuidOf(seed, number, between(random, 1, 1e9));
  if (type === 'Save')
    return `C:\\Users\\svc-restore\\AppData\\Local\\Temp\\REST_${workloadKinds[role.type].app.toUpperCase()}_EXPORT_${job}`;
  if (type === 'Export') return `D:\\Exports\\${job}.pst`;
  if (type === 'Send') return `legal@${role.organization.name}`;
  if (role.type === 'Vex') return source;
  if (type === 'View') return quirks.emptyTargets ? '' : source;
  return `https://${short}.sharepoint.com/${source.replaceAll('\\', '/').replace(/^\//, '')}_restored`;
}

const localeFormat = new Intl.DateTimeFormat('en-US', {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
});

/** A point in time as an en-US server prints it, `8/27/2020 6:01:21 PM`. */
function localeTime(at: Nanos): string {
  return localeFormat
    .format(Number(at / 1_000_000n))
    .replace(',', '')
    .replace(/\s/g, ' ');
}
