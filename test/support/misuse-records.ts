/** Attributes of a record that differ from an ordinary restore by the admin of contoso. */
type Over = Readonly<Record<string, string>>;

/** Records by their time, and whom a rule names at a time; nobody: it is silent. */
export type MisuseCase = Readonly<{
  alert: string;
  says: string;
  records: readonly (readonly [at: string, over?: Over])[];
  at: string;
  names: readonly string[];
}>;

/** A Thursday. */
const now = '2026-03-12T10:30:00Z';
const before = '2026-03-12T10:00:00Z';

const by = (initiator: string, over: Over = {}): Over => ({ 'veeam.restore.session.initiator': initiator, ...over });
const type = (name: string, over: Over = {}): Over => ({ 'veeam.restore.event.type': name, ...over });
const to = (target: string, over: Over = {}): Over => ({ 'veeam.restore.target': target, ...over });
const relation = (name: string): Over => ({ 'veeam.restore.owner.relation': name });
const of = (organization: string): Over => ({ 'veeam.organization.name': organization });

/** A record with all attributes that the rules read. */
export const recordOf = (over: Over = {}): Over => ({
  'service.name': 'vb365-exporter',
  'service.instance.id': 'hq',
  'veeam.event.kind': 'veeam.restore.item',
  ...type('Restore'),
  ...by('CONTOSO\\Admin'),
  ...of('contoso.onmicrosoft.com'),
  ...to('https://contoso.sharepoint.com/sites/a'),
  ...over,
});

const one = (
  alert: string,
  says: string,
  over: Over,
  { fires = true, at = before, when = now }: { fires?: boolean; at?: string; when?: string } = {},
): MisuseCase => ({ alert, says, records: [[at, over]], at: when, names: fires ? ['contoso\\admin'] : [] });
const silent = { fires: false };

const hours = (says: string, at: string, when: string, fires = true): MisuseCase =>
  one('VB365MisuseOutsideHours', says, {}, { at, when, fires });

const views = (count: number): MisuseCase['records'] =>
  Array.from({ length: count }, () => [before, type('View')] as const);
const organizations = (count: number): MisuseCase['records'] =>
  Array.from({ length: count }, (_, index) => [before, of(`tenant${String(index)}.onmicrosoft.com`)] as const);

export const misuseCases: readonly MisuseCase[] = [
  one('VB365MisuseFirstExport', 'an operator exports for the first time', type('Export')),
  {
    ...one(
      'VB365MisuseFirstExport',
      'the same operator, in other letters, exported 20 days ago',
      type('Export'),
      silent,
    ),
    records: [
      ['2026-02-20T10:00:00Z', by('contoso\\ADMIN', type('Send'))],
      [before, type('Export')],
    ],
  },
  {
    ...one('VB365MisuseFirstExport', 'another operator exported 20 days ago', type('Export')),
    records: [
      ['2026-02-20T10:00:00Z', by('CONTOSO\\other', type('Send'))],
      [before, type('Export')],
    ],
  },
  one('VB365MisuseFirstExport', 'an operator restores for the first time', {}, silent),
  one('VB365MisuseFirstExport', 'two hours ago', type('Save'), { ...silent, at: '2026-03-12T08:00:00Z' }),
  one('VB365MisuseSomebodyElsesData', 'an operator opens data of somebody else for the first time', relation('other')),
  ...['self', 'unknown'].map(each =>
    one('VB365MisuseSomebodyElsesData', `the relation is ${each}`, relation(each), silent),
  ),
  {
    ...one('VB365MisuseSomebodyElsesData', 'the help desk did so 20 days ago', relation('other'), silent),
    records: [
      ['2026-02-20T10:00:00Z', by('contoso\\ADMIN', relation('other'))],
      [before, relation('other')],
    ],
  },
  {
    ...one('VB365MisuseSomebodyElsesData', 'the operator opened their own data 20 days ago', relation('other')),
    records: [
      ['2026-02-20T10:00:00Z', relation('self')],
      [before, relation('other')],
    ],
  },
  one('VB365MisuseExternalRecipient', 'a stranger', type('Send', to('eve@Evil.example'))),
  one(
    'VB365MisuseExternalRecipient',
    'a stranger after the organization',
    type('Send', to('legal@contoso.onmicrosoft.com; eve@evil.example')),
  ),
  one(
    'VB365MisuseExternalRecipient',
    'a stranger before the organization',
    type('Send', to('eve@evil.example; legal@contoso.onmicrosoft.com')),
  ),
  one('VB365MisuseExternalRecipient', 'the organization', type('Send', to('legal@Contoso.onmicrosoft.com')), silent),
  one('VB365MisuseExternalRecipient', 'a trusted domain', type('Send', to('x@partner.example.com')), silent),
  one('VB365MisuseExternalRecipient', 'an export to a file', type('Export', to('D:\\Exports\\a.pst')), silent),
  hours('early', '2026-03-12T06:59:59Z', '2026-03-12T07:10:00Z'),
  hours('late', '2026-03-12T19:00:00Z', '2026-03-12T19:10:00Z'),
  hours('at noon', '2026-03-12T12:00:00Z', '2026-03-12T12:10:00Z', false),
  hours('on Saturday', '2026-03-14T12:00:00Z', '2026-03-14T12:10:00Z'),
  hours('on Sunday', '2026-03-15T12:00:00Z', '2026-03-15T12:10:00Z'),
  hours('on Monday', '2026-03-16T12:00:00Z', '2026-03-16T12:10:00Z', false),
  {
    ...one('VB365MisuseManyOrganizations', 'five organizations', {}),
    records: organizations(5),
  },
  { ...one('VB365MisuseManyOrganizations', 'four organizations', {}, silent), records: organizations(4) },
  { ...one('VB365MisuseOperatorViews', '201 items', {}), records: views(201) },
  { ...one('VB365MisuseOperatorViews', '200 items', {}, silent), records: views(200) },
  one('VB365MisuseForeignTarget', 'the SharePoint of another tenant', to('https://evil.sharepoint.com/sites/a')),
  one('VB365MisuseForeignTarget', 'the OneDrive of another tenant', to('https://evil-my.sharepoint.com/personal/a')),
  one('VB365MisuseForeignTarget', 'its own OneDrive', to('https://Contoso-my.sharepoint.com/personal/a'), silent),
  one('VB365MisuseForeignTarget', 'a trusted tenant', to('https://partner-example.sharepoint.com/x'), silent),
  one('VB365MisuseForeignTarget', 'a folder of a mailbox', to('Jon Snow\\Inbox'), silent),
  { ...one('VB365MisuseForeignOperator', 'an account of the server', by('VB365\\svc')), names: ['vb365\\svc'] },
  {
    ...one('VB365MisuseForeignOperator', 'an admin of another organization', by('x@fabrikam.onmicrosoft.com')),
    names: ['x@fabrikam.onmicrosoft.com'],
  },
  one('VB365MisuseForeignOperator', 'an admin of the organization', by('it.lead@contoso.onmicrosoft.com'), silent),
  one('VB365MisuseForeignOperator', 'a trusted domain', by('PROVIDER-EXAMPLE\\svc'), silent),
  one('VB365MisuseForeignOperator', 'a hashed name', by('0f5a7d90'), silent),
];
