import { eventStatus, eventType, type RestoreEvent } from '../../src/model/event.js';
import { type Session, sessionResult, workload } from '../../src/model/session.js';
import { type Nanos, parseInstant, parseTimeSpan } from '../../src/model/time.js';
import type { Batch, TakenEvent } from '../../src/pipeline/ports.js';

/** An instant as the API writes it. */
export function at(text: string): Nanos {
  const parsed = parseInstant(text);
  if (parsed === undefined) throw new TypeError(`no instant: ${text}`);
  return parsed.at;
}

export const session = (over: Partial<Session> = {}): Session => ({
  id: '61954db6-7278-4d26-86f7-888bda5a4ec4',
  name: 'Restore of contoso',
  organization: 'contoso.onmicrosoft.com',
  workload: workload('Vesp'),
  createdAt: at('2017-05-30T10:53:44Z'),
  endedAt: undefined,
  open: true,
  result: sessionResult('Success'),
  initiator: 'CONTOSO\\alice',
  details: '',
  scope: '',
  clientHost: '10.0.0.7',
  reason: '',
  ...over,
});

/** The second event of ../shared/api/v3-restore-session-events.txt, as it decodes. */
export const event = (over: Partial<RestoreEvent> = {}): RestoreEvent => ({
  id: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
  order: 1,
  type: eventType('Save'),
  status: eventStatus('Success'),
  startedAt: at('2017-05-30T13:57:28.0422679+03:00'),
  endedAt: at('2017-05-30T13:57:28.0869607+03:00'),
  duration: parseTimeSpan('00:00:00.0446928'),
  title: 'Item is successfully restored.',
  message: 'Item Image.jpg was saved successfully',
  item: { name: 'Image.jpg', type: 'Item', sizeBytes: undefined },
  source: '/personal/orgUser/Documents/Image.jpg',
  target:
    'C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727',
  reason: '',
  anomalies: [],
  ...over,
});

export const taken = (over: Partial<RestoreEvent> = {}, of: Partial<Session> = {}): TakenEvent => ({
  session: session(of),
  event: event(over),
});

export const noFindings: Batch['findings'] = { rejected: {}, anomalies: {}, abandoned: 0, corrections: 0 };

export const batch = (over: Partial<Batch> = {}): Batch => ({
  events: [],
  results: [],
  failures: [],
  findings: noFindings,
  at: at('2017-05-30T10:57:30Z'),
  ...over,
});

/** A GUID that no other `n` has. */
export const guid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
