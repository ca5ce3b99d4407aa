import { fetch } from 'undici';

/** A row of `GET /v8/RestoreSessions`, as far as the baselines look at it. */
export type Session = Readonly<{
  id: string;
  name: string;
  organization: string;
  type: string;
  state: string;
  result: string;
  initiatedBy?: string;
}>;

/** A row of `GET /v8/RestoreSessions/{id}/Events`, as far as the baselines look at it. */
export type Event = Readonly<{
  id: string;
  type: string;
  status: string;
  endTime?: string;
  message: string;
  itemName?: string;
  itemType?: string;
  source?: string;
  target?: string;
}>;

export type Page<T> = Readonly<{ results: readonly T[]; _links: Readonly<{ next?: Readonly<{ href: string }> }> }>;

/** The API with a token: reads one page. @throws an error with the status when it is not 200. */
export type Get = <T>(path: string) => Promise<Page<T>>;

/** Logs in as the simulator wants it. */
export async function login(url: string): Promise<Get> {
  const answer = await fetch(`${url}/v8/Token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=password&username=simulator&password=simulator&disable_antiforgery_token=true',
  });
  const json = await answer.json();
  if (!isToken(json)) throw new Error(`Cannot log in: ${String(answer.status)}`);
  const headers = { accept: 'application/json', authorization: `Bearer ${json.access_token}` };
  return async <T>(path: string): Promise<Page<T>> => {
    const response = await fetch(`${url}${path}`, { headers });
    const page = await response.json();
    if (!isPage<T>(page)) throw new Error(`Cannot read a page: ${String(response.status)}`);
    return page;
  };
}

const isToken = (json: unknown): json is Readonly<{ access_token: string }> =>
  typeof json === 'object' && json !== null && 'access_token' in json;

/** Looks no further than a script would. */
const isPage = <T>(json: unknown): json is Page<T> =>
  typeof json === 'object' && json !== null && 'results' in json && Array.isArray(json.results);

/** What both report of an event, by the names that the exporter uses. */
export const attributesOf = (session: Session, event: Event): Readonly<Record<string, string>> => ({
  'log.record.uid': event.id,
  'veeam.restore.event.type': event.type,
  'veeam.restore.event.status': event.status,
  'veeam.restore.item.name': event.itemName ?? '',
  'veeam.restore.item.type': event.itemType ?? '',
  'veeam.restore.source': event.source ?? '',
  'veeam.restore.target': event.target ?? '',
  'veeam.restore.session.id': session.id,
  'veeam.restore.session.name': session.name,
  'veeam.restore.session.type': session.type,
  'veeam.restore.session.initiator': session.initiatedBy ?? '',
  'veeam.organization.name': session.organization,
});
