// A receiver of OTLP over HTTP, JSON or protobuf, in its own process. It accepts everything, prints its address, and answers
// `count` with the number of log records it received.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenAndReport, obey, report } from '../rig/actor.js';

let records = 0;
/** Once in each record, in both encodings. */
const mark = Buffer.from('log.record.uid');

/** Counts without decoding, so that the receiver is never the bottleneck. */
function marksIn(body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + mark.length)) count += 1;
  return count;
}

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  records += marksIn(await buffer(request));
  // An empty message is `{}` in JSON and nothing in protobuf.
  const type = request.headers['content-type'] ?? 'application/x-protobuf';
  response.writeHead(200, { 'content-type': type }).end(type.includes('json') ? '{}' : '');
}

listenAndReport(createServer((request, response) => void take(request, response)));
obey({ count: () => report({ records }) });
