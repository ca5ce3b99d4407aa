import type { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type OtlpRecord, recordsOf } from '../support/otlp-receiver.js';

/** What a receiver has received. */
export type Accounts = Readonly<{
  url: URL;
  /** Every uid that has arrived. */
  uids: () => ReadonlySet<string>;
  /** Records that arrived, repetitions included. */
  records: () => number;
  /** Repetitions that are not what arrived first: another uid for one event, or another text under one uid. */
  strays: () => readonly string[];
  close: () => Promise<void>;
}>;

/**
 * A real OTLP receiver that keeps what identifies a record. Emits `export` when it has read a request and not yet
 * answered it, and `answered` when the answer is sent.
 */
export async function keepAccounts(happens: EventEmitter): Promise<Accounts> {
  const firsts = new Map<string, string>();
  const uidByPlace = new Map<string, string>();
  const strays: string[] = [];
  let records = 0;
  const enter = (record: OtlpRecord): void => {
    records += 1;
    const { uid, place, text } = identityOf(record);
    if ((firsts.get(uid) ?? text) !== text) strays.push(`another text under uid ${uid}`);
    if ((uidByPlace.get(place) ?? uid) !== uid) strays.push(`another uid than the first for ${place}`);
    firsts.set(uid, firsts.get(uid) ?? text);
    uidByPlace.set(place, uidByPlace.get(place) ?? uid);
  };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    recordsOf({ body }).forEach(enter);
    happens.emit('export');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}', () => void happens.emit('answered'));
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`),
    uids: () => new Set(firsts.keys()),
    records: () => records,
    strays: () => strays,
    close: async () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `text`: the record without the time it was observed. `place`: its session and event. */
function identityOf(record: OtlpRecord): Readonly<{ uid: string; place: string; text: string }> {
  const { observedTimeUnixNano: _, ...rest } = record;
  const attribute = (name: string): string =>
    Object.values(record.attributes.find(({ key }) => key === name)?.value ?? {}).join('');
  return {
    uid: attribute('log.record.uid'),
    place: `${attribute('veeam.restore.session.id')} ${attribute('veeam.restore.event.order') || 'result'}`,
    text: JSON.stringify(rest),
  };
}
