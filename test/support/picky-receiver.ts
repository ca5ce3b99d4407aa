import type { LogRecord } from '../../src/otlp/log-record.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { AcknowledgingExporter } from '../../src/otlp/exporter.js';
import { type OtlpReceiver, otlpReceiver, type Received, recordsOf } from './otlp-receiver.js';

/** A receiver that refuses certain records, and remembers what it has taken. */
export type PickyReceiver = Readonly<{
  receiver: OtlpReceiver;
  /** Uids of poison records (ids of spans): it answers 400 to every request that has one. */
  poison: Set<string>;
  /** Uids that it has taken, in order, repetitions included. */
  kept: string[];
  /** It answers everything with 400, as a broken proxy does. */
  stubborn: (yes: boolean) => void;
  /** Requests since the last time this was asked. */
  asked: () => number;
}>;

type Behavior = Readonly<{
  /** It keeps the rest of a request that it answers 400 for, as Loki does. */
  loki?: boolean;
  /** What it knows the items of a request by; uids of log records unless said otherwise. */
  idsOf?: (request: Received) => readonly string[];
}>;

export async function pickyReceiver({ loki = false, idsOf = uidsOf }: Behavior = {}): Promise<PickyReceiver> {
  const receiver = await otlpReceiver();
  const poison = new Set<string>();
  const kept: string[] = [];
  let stubborn = false;
  let counted = 0;
  receiver.otherwise = (response, request) => {
    const uids = idsOf(request);
    const refused = stubborn || uids.some(uid => poison.has(uid));
    if (!refused) kept.push(...uids);
    else if (loki && !stubborn) kept.push(...uids.filter(uid => !poison.has(uid)));
    response.writeHead(refused ? 400 : 200, { 'content-type': 'application/json' }).end('{}');
  };
  return {
    receiver,
    poison,
    kept,
    stubborn: yes => void (stubborn = yes),
    asked: () => {
      const since = receiver.requests.length - counted;
      counted = receiver.requests.length;
      return since;
    },
  };
}

const uidsOf = (request: Received): readonly string[] => recordsOf(request).map(uidOf);

export const uidOf = ({ attributes }: ReturnType<typeof recordsOf>[number]): string =>
  String(attributes.find(({ key }) => key === 'log.record.uid')?.value['stringValue']);

/** An exporter to a picky receiver without a wire between them: for tests of thousands of requests. */
export type PickyExporter = AcknowledgingExporter<LogRecord> & Omit<PickyReceiver, 'receiver'>;

export function pickyExporter(): PickyExporter {
  const poison = new Set<string>();
  const kept: string[] = [];
  let stubborn = false;
  let asked = 0;
  return {
    poison,
    kept,
    stubborn: yes => void (stubborn = yes),
    asked: () => {
      const since = asked;
      asked = 0;
      return since;
    },
    export: async items => {
      asked += 1;
      const uids = items.map(({ attributes }) => String(attributes.own['log.record.uid']));
      if (stubborn || uids.some(uid => poison.has(uid)))
        throw new ExporterError('rejected', 'Could not send log records: answered 400', {
          details: { statusCode: 400 },
        });
      kept.push(...uids);
      return { refused: 0 };
    },
  };
}
