import type { Clock } from '../kernel/clock.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { AttackName } from './attack-names.js';
import { verbs } from './cast.js';
import type { Simulator } from './simulate.js';
import { nobody } from './world.js';

/** What an operator does, in one session per organization. `target`: where each item goes; `owner`: the address of whose it is. */
type Misuse = Readonly<{
  operator: string;
  organizations: readonly string[];
  type: string;
  items: number;
  target: string;
  owner?: string;
}>;

type Victim = Pick<Simulator, 'world' | 'intercept' | 'revokeTokens'>;

/** Something that is done so many seconds after the attack began. */
type AttackStep = Readonly<{ afterSeconds: number; run: (server: Victim, now: Nanos) => void }>;

const contoso = 'contoso.onmicrosoft.com';
const admin = 'CONTOSO\\Backup.Admin';
const site = 'https://contoso.sharepoint.com/sites/Finance/Shared Documents';
const manyOrganizations = ['alpine', 'blueyonder', 'cohovineyard', 'fourthcoffee', 'litware', 'tailspin'].map(
  short => `${short}.onmicrosoft.com`,
);

const misuse = (over: Partial<Misuse>): AttackStep => ({
  afterSeconds: 0,
  run: (server, now) => {
    const common = { operator: admin, organizations: [contoso], type: 'Restore', items: 3, target: site };
    const done = { ...common, ...over };
    for (const organization of done.organizations) writeSession(server, { ...done, organization }, now);
  },
});

/** Ends what the exporter is logged in with, and refuses every login from then on. */
const lockOut: AttackStep = {
  afterSeconds: 0,
  run: server => {
    server.intercept(({ route }, { response, proceed }) => {
      if (route !== '/token') return proceed();
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'The server has rejected the client credentials' }));
    });
    server.revokeTokens(true);
  },
};

/** By then the exporter has logged in a second time. */
const stayLocked: AttackStep = { afterSeconds: 60, run: () => undefined };

const cutOff: AttackStep = {
  afterSeconds: 30,
  run: server => server.intercept((_, { request }) => void request.socket.destroy()),
};

const deleteSessions: AttackStep = {
  afterSeconds: 20,
  run: ({ world }) => {
    const taken = world.sessions().filter(({ initiatedBy }) => initiatedBy === admin);
    for (const { id } of taken) world.purgeSession(id);
  },
};

/** Scripted attacks, each of which a detection has to notice; see docs/DETECTIONS.md. */
const attacks: Readonly<Record<AttackName, readonly AttackStep[]>> = {
  'first-export': [misuse({ operator: 'CONTOSO\\new.hire', type: 'Export', target: 'D:\\Exports\\finance.pst' })],
  'somebody-elses-data': [
    misuse({ operator: `megan.bowen@${contoso}`, owner: `alex.wilber@${contoso}`, type: 'View', target: '' }),
  ],
  'external-recipient': [misuse({ type: 'Send', target: 'drop@mail.example.net' })],
  'outside-hours': [misuse({})],
  'many-organizations': [
    misuse({ operator: 'VB365\\svc-restore', organizations: manyOrganizations, type: 'View', items: 1 }),
  ],
  'mass-view': [misuse({ type: 'View', items: 250 })],
  'foreign-location': [misuse({ target: 'https://exfil-my.sharepoint.com/personal/drop/Documents' })],
  'foreign-operator': [misuse({ operator: 'FABRIKAM\\backup.admin', type: 'View' })],
  'blind-exporter': [lockOut, cutOff],
  'delete-sessions': [misuse({ type: 'Export', target: 'D:\\Exports\\finance.pst' }), deleteSessions],
  'failed-logins': [lockOut, stayLocked],
};

/** Attacks a simulated server; resolves after the last step, or when `stop` aborts. Everything has the time at which it happens. */
export async function attack(name: AttackName, server: Victim, clock: Clock, stop: AbortSignal): Promise<void> {
  let lastSeconds = 0;
  for (const { afterSeconds, run } of attacks[name]) {
    const waitMs = (afterSeconds - lastSeconds) * 1000;
    if (waitMs > 0) await clock.sleep(waitMs, stop).catch(() => undefined);
    if (stop.aborted) return;
    lastSeconds = afterSeconds;
    run(server, milliseconds(clock.now()));
  }
}

/** A stopped session whose items were all handled just now. */
function writeSession(
  { world }: Victim,
  { operator, organization, type, items, target, owner }: Misuse & Readonly<{ organization: string }>,
  now: Nanos,
): void {
  const user = world.owners('user').find(({ email }) => email === owner);
  const touched = { ...nobody, userId: user?.id ?? '' };
  const folder = new URL(user?.url ?? 'https://contoso-my.sharepoint.com/personal/finance').pathname;
  const client = { initiatedBy: operator, clientHost: '203.0.113.200' };
  const { id } = world.addSession({
    createdAt: now,
    organization,
    type: 'Veod',
    name: 'OneDrive restore (Entire organization)',
    ...client,
  });
  for (let number = 1; number <= items; number += 1) {
    const itemName = `Document ${String(number)}.docx`;
    const source = `${folder}/Documents/${itemName}`;
    const message = `Item ${itemName} was ${verbs[type] ?? 'processed'} successfully (type: Item; source: ${source}; target: ${target})`;
    world.appendEvent(id, { startedAt: now, type, itemName, itemType: 'Item', source, target, message, touched });
  }
  world.stopSession(id, { endedAt: now });
}
