import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/kernel/clock.js';
import { type OtlpTransport, otlpTransport } from '../../src/otlp/transport.js';
import type { OtlpTarget } from '../../src/config/otlp.js';
import { noTls, target } from '../support/otlp-target.js';
import { type Authority, createAuthority } from '../support/authority.js';

const never = new AbortController().signal;
const data = new TextEncoder().encode('{}');

let folder: string;
let ours: Authority;
let server: Server;
/** Who the server saw, request by request. */
let clients: (string | undefined)[];
const open: OtlpTransport[] = [];

/** A receiver that speaks TLS and asks every client for a certificate of `ours`. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vb365-tls-'));
  ours = await createAuthority();
  clients = [];
  const identity = await ours.issue([{ type: 'dns', value: 'localhost' }]);
  const options = { ...identity, ca: ours.cert, requestCert: true, rejectUnauthorized: false };
  server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    clients.push(socket.authorized ? socket.getPeerCertificate().subjectaltname?.replace('DNS:', '') : undefined);
    request.resume().on('end', () => {
      response.writeHead(socket.authorized ? 200 : 401, { connection: 'close' }).end('{}');
    });
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async each => each.close()));
  await new Promise(resolve => {
    server.close(resolve);
    server.closeAllConnections();
  });
  rmSync(folder, { recursive: true, force: true });
});

function transport(tls: Partial<OtlpTarget['tls']>): OtlpTransport {
  const url = new URL(`https://localhost:${String((server.address() as AddressInfo).port)}/v1/logs`);
  const made = otlpTransport(target(url, { tls: { ...noTls, ...tls } }), '1.2.3', systemClock);
  open.push(made);
  return made;
}

/** Writes a text into the folder; the path of the file. */
function fileIn(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function clientFiles(name: string): Promise<Pick<OtlpTarget['tls'], 'certFile' | 'keyFile'>> {
  const { cert, key } = await ours.issue([{ type: 'dns', value: name }]);
  return { certFile: fileIn('cert.pem', cert), keyFile: fileIn('key.pem', key) };
}

describe('a receiver with a certificate of a private authority', () => {
  test('is not trusted without configuration', async () => {
    await expect(transport({}).send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringMatching(/: its TLS certificate is signed by an unknown authority \([A-Z_]+\)$/),
    });
    expect(clients).toEqual([]);
  });

  test('is not trusted by another authority', async () => {
    const caFile = fileIn('ca.pem', (await createAuthority()).cert);
    await expect(transport({ caFile }).send(data, never)).rejects.toMatchObject({ reason: 'network' });
  });

  test('is trusted with the file of the authority, and says when it wants a client certificate', async () => {
    const caFile = fileIn('ca.pem', ours.cert);
    await expect(transport({ caFile }).send(data, never)).rejects.toMatchObject({ reason: 'auth' });
    expect(clients).toEqual([undefined]);
  });
});

describe('a client certificate', () => {
  test('is shown', async () => {
    const caFile = fileIn('ca.pem', ours.cert);
    await transport({ caFile, ...(await clientFiles('vb365-exporter')) }).send(data, never);
    expect(clients).toEqual(['vb365-exporter']);
  });

  test('that is renewed counts from the next connection on', async () => {
    const caFile = fileIn('ca.pem', ours.cert);
    const one = transport({ caFile, ...(await clientFiles('first')) });
    await one.send(data, never);
    await clientFiles('second');
    await one.send(data, never);
    expect(clients).toEqual(['first', 'second']);
  });

  test('that cannot be read fails the request and names the file, and is read again', async () => {
    const caFile = fileIn('ca.pem', ours.cert);
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    const one = transport({ caFile, ...files });
    await expect(one.send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: `Could not read TLS file "${files.certFile}": no such file`,
    });
    await clientFiles('late');
    await one.send(data, never);
    expect(clients).toEqual(['late']);
  });

  test('that is no certificate fails the request', async () => {
    const caFile = fileIn('ca.pem', ours.cert);
    const keyFile = fileIn('key.pem', 'nonsense');
    const certFile = fileIn('cert.pem', 'nonsense');
    await expect(transport({ caFile, certFile, keyFile }).send(data, never)).rejects.toMatchObject({
      reason: 'network',
    });
  });
});
