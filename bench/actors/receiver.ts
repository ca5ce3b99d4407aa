// A receiver of OTLP/JSON in a process of its own, which takes everything: says its address, and answers `count` with how
// many log records it has had.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenAndTell, obey, tell } from '../rig/actor.js';

let records = 0;
const mark = Buffer.from('"timeUnixNano"');

/** Counts without reading, so that it is never the one that is waited for. */
function marksIn(body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + mark.length)) count += 1;
  return count;
}

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  records += marksIn(await buffer(request));
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}

listenAndTell(createServer((request, response) => void take(request, response)));
obey({ count: () => tell({ records }) });
