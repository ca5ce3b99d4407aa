import { type Condition, everyItem, type Group, initiator, takenOut } from '../grafana/log-query.js';
import { thresholds } from '../thresholds.js';
import type { LogDetection } from './detection.js';

const at = thresholds.misuse;
const server: Group = { attribute: 'service.instance.id', as: 'server' };
const organization: Group = { attribute: 'veeam.organization.name', as: 'organization' };

const type = (...isOneOf: readonly string[]): Condition => ({ attribute: 'veeam.restore.event.type', isOneOf });

const ofOperator = { dashboard: 'session', about: ['server', 'initiator'] } as const;
const inTenant = { dashboard: 'session', about: ['server', 'organization', 'initiator'] } as const;
const byOperator = [server, initiator];
const byTenant = [server, organization, initiator];

const who = '{{ $labels.initiator }}';
const whose = '{{ $labels.organization }} on {{ $labels.server }}';
const count = '{{ $value | printf "%.0f" }}';

/** The name before the first dot, as in `contoso.onmicrosoft.com`. */
const shortName = '^([^.]+).*$';

/** Detections that need to know who, where to or when: metrics do not hold that. */
export const logDetections: readonly LogDetection[] = [
  {
    ...ofOperator,
    name: 'VB365MisuseFirstExport',
    triedWith: 'first-export',
    severity: 'warning',
    detects: 'First export by an operator',
    attack: ['T1078', 'T1213'],
    falsePositives: `A new colleague. Everybody, if the log store keeps less than ${at.firstExport.memory}.`,
    query: {
      records: [...everyItem, takenOut],
      by: byOperator,
      window: at.window,
      when: 'none before',
      memory: at.firstExport.memory,
    },
    summary: `${who} took data out of a backup on {{ $labels.server }} for the first time.`,
    description: `${who} saved, exported or sent ${count} item(s) on {{ $labels.server }}, and none in the ${at.firstExport.memory} before. Ask whether that is part of the job, and check items, target and reason in the log records.`,
  },
  {
    ...ofOperator,
    name: 'VB365MisuseSomebodyElsesData',
    triedWith: 'somebody-elses-data',
    severity: 'warning',
    detects: 'First access to data of somebody else',
    attack: ['T1213', 'T1114'],
    falsePositives: `A new colleague at the help desk. Everybody, if the log store keeps less than ${at.somebodyElsesData.memory}. People without a OneDrive whose user principal name is not their address.`,
    query: {
      records: [...everyItem, { attribute: 'veeam.restore.owner.relation', is: 'other' }],
      by: byOperator,
      window: at.window,
      when: 'none before',
      memory: at.somebodyElsesData.memory,
    },
    summary: `${who} opened data of somebody else on {{ $labels.server }} for the first time.`,
    description: `${who} viewed, restored or took out ${count} item(s) of mailboxes or OneDrives of others on {{ $labels.server }}, and none in the ${at.somebodyElsesData.memory} before. The log records say whose (veeam.restore.owner.name). Ask whether that is part of the job.`,
  },
  {
    ...inTenant,
    name: 'VB365MisuseExternalRecipient',
    triedWith: 'external-recipient',
    severity: 'warning',
    detects: 'Items sent to an external recipient',
    attack: ['T1048'],
    falsePositives:
      'Mail domains of the organization or of partners that are not listed. Several recipients in one record.',
    query: {
      records: [...everyItem, type('Send', 'Export', 'Save')],
      outsider: {
        attribute: 'veeam.restore.target',
        part: '^[^@]*@([\\s\\S]+)$',
        ofOrganization: '^(.+)$',
        trusted: at.trusted.mailDomains,
        sigma: { contains: '@', with: ['*@%'], never: '*@*@*' },
      },
      by: byTenant,
      window: at.window,
      when: 'more records than',
      limit: 0,
    },
    summary: `${who} sent items of ${whose} to an external address.`,
    description: `${who} sent ${count} item(s) of ${whose} to an address outside of the organization and the trusted domains. The log records hold the address (veeam.restore.target).`,
  },
  {
    ...inTenant,
    name: 'VB365MisuseOutsideHours',
    triedWith: 'outside-hours',
    severity: 'warning',
    detects: 'Access outside working hours',
    attack: ['T1078'],
    falsePositives: 'Work at night, at weekends or in another time zone.',
    query: {
      records: [...everyItem, 'outside office hours'],
      by: byTenant,
      window: at.window,
      when: 'more records than',
      limit: at.outsideHours.items,
    },
    summary: `${who} worked on items of ${whose} outside working hours.`,
    description: `${who} viewed, restored or took out ${count} item(s) of ${whose} at night or at the weekend (not Monday to Friday, 07:00 to 19:00 UTC). Ask whether they were on call.`,
  },
  {
    ...ofOperator,
    name: 'VB365MisuseManyOrganizations',
    triedWith: 'many-organizations',
    severity: 'warning',
    detects: 'One operator across many organizations',
    attack: ['T1199', 'T1078'],
    falsePositives: 'A restore test, or a service account that everybody uses.',
    query: {
      records: everyItem,
      by: byOperator,
      window: at.window,
      when: 'more values than',
      of: organization,
      limit: at.manyOrganizations.organizations,
    },
    summary: `${who} worked on items of many organizations on {{ $labels.server }}.`,
    description: `${who} viewed, restored or took out items of ${count} organizations on {{ $labels.server }} within ${at.window}. Ask for the tickets.`,
  },
  {
    ...inTenant,
    name: 'VB365MisuseOperatorViews',
    triedWith: 'mass-view',
    severity: 'warning',
    detects: 'Mass view by an operator',
    attack: ['T1213', 'T1119'],
    falsePositives: 'A search in a large mailbox for a legal case.',
    query: {
      records: [...everyItem, type('View')],
      by: byTenant,
      window: at.window,
      when: 'more records than',
      limit: at.operatorViews.items,
    },
    summary: `${who} viewed an unusually large number of items of ${whose}.`,
    description: `${who} viewed ${count} items of ${whose} within ${at.window}. A preview leaves no trace in the mailbox. Check items and reason in the log records.`,
  },
  {
    ...inTenant,
    name: 'VB365MisuseForeignTarget',
    triedWith: 'foreign-location',
    severity: 'warning',
    detects: 'Restore to a foreign location',
    attack: ['T1537'],
    falsePositives: 'A migration. A SharePoint host that is not named like the organization.',
    query: {
      records: [...everyItem, type('Restore')],
      outsider: {
        attribute: 'veeam.restore.target',
        part: '^https?://([^./]+?)(?:-my)?[.]sharepoint[.].*$',
        ofOrganization: shortName,
        trusted: at.trusted.tenants,
        sigma: {
          contains: '.sharepoint.',
          with: ['https://%.sharepoint.*', 'https://%-my.sharepoint.*'],
        },
      },
      by: byTenant,
      window: at.window,
      when: 'more records than',
      limit: 0,
    },
    summary: `${who} restored items of ${whose} to another tenant.`,
    description: `${who} restored ${count} item(s) of ${whose} to the SharePoint or OneDrive of another tenant. The log records hold the address (veeam.restore.target).`,
  },
  {
    ...inTenant,
    name: 'VB365MisuseForeignOperator',
    triedWith: 'foreign-operator',
    severity: 'warning',
    detects: 'Activity that the admin of the organization did not initiate',
    attack: ['T1199', 'T1078'],
    falsePositives:
      'Accounts of the provider, or of a domain that is not named like the organization, that are not listed.',
    query: {
      records: everyItem,
      outsider: {
        attribute: 'veeam.restore.session.initiator',
        part: '^(?:[^@\\\\]*@)?([^@\\\\.]+)[\\\\.].*$',
        ofOrganization: shortName,
        trusted: at.trusted.operators,
        sigma: { with: ['%\\\\*', '*@%.*'] },
      },
      by: byTenant,
      window: at.window,
      when: 'more records than',
      limit: 0,
    },
    summary: `${who}, an account of another domain, worked on items of ${whose}.`,
    description: `${who} viewed, restored or took out ${count} item(s) of ${whose}, but is neither an account of that organization nor a trusted one. Ask the admin of the organization whether they requested it.`,
  },
];
