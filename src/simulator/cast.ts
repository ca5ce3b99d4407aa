import type { Some } from './random.js';

/** Who is restored: an organization and its people. All invented. */
export type Organization = Readonly<{ name: string; short: string; people: Some<string>; sites: Some<string> }>;

export const organizations: Some<Organization> = [
  {
    name: 'contoso.onmicrosoft.com',
    short: 'contoso',
    people: ['Alex Wilber', 'Megan Bowen', 'Zoë Müller', 'Lee Gu'],
    sites: ['Finance', 'Human Resources', 'Projekt Übergabe'],
  },
  {
    name: 'fabrikam.onmicrosoft.com',
    short: 'fabrikam',
    people: ['Adele Vance', 'Nestor Wilke', 'Łukasz Żak', '王小明'],
    sites: ['Design', 'Sales & Marketing', 'Legal'],
  },
  {
    name: 'northwind.onmicrosoft.com',
    short: 'northwind',
    people: ['Isaiah Langer', 'Patti Fernandez', 'Søren Holm'],
    sites: ['Logistics', 'Operations'],
  },
];

/** `alex.wilber@contoso.onmicrosoft.com`. */
export const addressOf = (person: string, organization: string): string =>
  `${person.toLowerCase().replace(/\s+/g, '.')}@${organization}`;

/** Who restores. `portal`: through the Restore Portal, which asks for a reason and knows a scope. */
export type Initiator = Readonly<{ name: (organization: Organization) => string; portal: boolean; clientHost: string }>;

/** Restores what belongs to others. */
export const helpdesk: Initiator = {
  name: ({ name }) => `helpdesk@${name}`,
  portal: true,
  clientHost: '203.0.113.77',
};

export const initiators: Some<Initiator> = [
  { name: ({ short }) => `${short.toUpperCase()}\\Backup.Admin`, portal: false, clientHost: '10.20.0.14' },
  { name: ({ short }) => `${short.toUpperCase()}\\backup.admin`, portal: false, clientHost: '10.20.0.14' },
  { name: () => 'VB365\\svc-restore', portal: false, clientHost: 'vb365-01 (192.168.7.21)' },
  helpdesk,
  { name: ({ name, people: [first] }) => addressOf(first, name), portal: true, clientHost: '198.51.100.9' },
];

export const portalReasons: Some<string> = [
  'Ticket 4711: mailbox folder deleted by mistake',
  'Legal hold, case 2024/118',
  'Laptop lost; files needed today',
  '',
];

/** What stands in the parentheses of a session's name, before the point in time. */
export const sessionScopes: Some<string> = [
  'Entire organization',
  'All organizations',
  'Job: Office 365 Suite to Blob',
  'Job: Nightly (all users)',
];

/** One kind of item of a workload. `place` is where it lies, with `{person}`, `{login}` and `{site}` to be filled in. */
export type ItemKind = Readonly<{ itemType: string; names: Some<string>; place: string }>;

/** What can be restored, per session type. Item types: vb365-rest.md 6.5; those of Teams are assumed. */
export const workloadKinds = {
  Vex: {
    app: 'Exchange',
    kinds: [
      { itemType: 'IPM.Note', names: ['Welcome to MyAnalytics', 'Quarterly numbers'], place: '{person}\\Inbox' },
      { itemType: 'IPM.Note', names: ['Offer 2024-118', 'Lunch?'], place: '{person}\\Sent Items\\Archive' },
      { itemType: 'IPM.Appointment', names: ['Budget review', 'Dentist'], place: '{person}\\Calendar' },
      { itemType: 'REPORT.IPM.Note.NDR', names: ['Undeliverable: Datastore report'], place: '{site}\\Inbox' },
    ],
  },
  Veod: {
    app: 'OneDrive',
    kinds: [
      { itemType: 'Item', names: ['Budget.xlsx', 'Image.jpg', 'Notes.one'], place: '/personal/{login}/Documents' },
      { itemType: 'Folder', names: ['Contracts', 'Photos'], place: '/personal/{login}/Documents/Work' },
    ],
  },
  Vesp: {
    app: 'SharePoint',
    kinds: [
      { itemType: 'Item', names: ['Plan.docx', 'Invoice.pdf'], place: '/sites/{site}/Shared Documents' },
      { itemType: 'List', names: ['Site Pages', 'Tasks'], place: '/sites/{site}' },
      { itemType: 'Site', names: ['{site}'], place: '{site}/sites' },
    ],
  },
  Vet: {
    app: 'Teams',
    kinds: [
      { itemType: 'Team', names: ['{site}'], place: '{site}' },
      { itemType: 'Channel', names: ['General', 'Announcements'], place: '{site}' },
      { itemType: 'Post', names: ['Who can review this?', 'Minutes'], place: '{site}\\General\\Posts' },
      { itemType: 'File', names: ['Roadmap.pptx', 'Minutes.docx'], place: '{site}\\General\\Files' },
    ],
  },
} as const satisfies Record<string, Readonly<{ app: string; kinds: Some<ItemKind> }>>;

export type SessionType = keyof typeof workloadKinds;
export const sessionTypes: Some<SessionType> = ['Vex', 'Veod', 'Vesp', 'Vet'];

/** Names that have broken parsers; the first two are from real logs (vb365-rest.md 6.4). */
export const oddNames: Some<string> = [
  'Alarm on host changed to Error (previous state: Error)',
  'Invoice 4711 ',
  'Re: "Budget" [final] (copy); source: mine',
  'Jahresübersicht – Größe & Maß',
  '请假单 (第二版)',
  'was saved successfully',
];

/** Why an item came through with a warning, or not at all. The first is from real logs; each ends with a full stop. */
export const troubles: Some<string> = [
  'Object was not found. The object could be deleted or moved to another folder.',
  'The remote server returned an error: (503) Server Unavailable.',
  'Access is denied. Check the permissions of the restore account (code: 0x80070005).',
  'The mailbox is full.',
];

/** How the event types read in a message: `Item ... was <verb> successfully`. `exported` and `sent` are assumed. */
export const verbs: Readonly<Record<string, string>> = {
  View: 'opened',
  Save: 'saved',
  Export: 'exported',
  Send: 'sent',
  Restore: 'restored',
};
