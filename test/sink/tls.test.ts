import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/kernel/clock.js';
import { type OtlpTransport, otlpTransport } from '../../src/sink/otlp-transport.js';
import type { TlsFiles } from '../../src/sink/tls.js';
import { noTls, target } from '../support/logs.js';
import { type Authority, authority, fileIn } from '../support/pki.js';

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
  ours = await authority();
  clients = [];
  const { certificate, key } = await ours.issue('receiver');
  const options = { cert: certificate, key, ca: ours.certificate, requestCert: true, rejectUnauthorized: false };
  server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    clients.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined);
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

function transport(tls: Partial<TlsFiles>): OtlpTransport {
  const url = new URL(`https://localhost:${String((server.address() as AddressInfo).port)}/v1/logs`);
  const made = otlpTransport(target(url, { tls: { ...noTls, ...tls } }), '1.2.3', systemClock);
  open.push(made);
  return made;
}

async function clientFiles(name: string, of: Authority = ours): Promise<Pick<TlsFiles, 'certFile' | 'keyFile'>> {
  const { certificate, key } = await of.issue(name);
  return { certFile: fileIn(folder, 'cert.pem', certificate), keyFile: fileIn(folder, 'key.pem', key) };
}

describe('a receiver with a certificate of its own authority', () => {
  test('is not trusted without being told to', async () => {
    await expect(transport({}).send(data, never)).rejects.toMatchObject({ reason: 'network' });
    expect(clients).toEqual([]);
  });

  test('is not trusted by another authority', async () => {
    const caFile = fileIn(folder, 'ca.pem', (await authority()).certificate);
    await expect(transport({ caFile }).send(data, never)).rejects.toMatchObject({ reason: 'network' });
  });

  test('is trusted with the file of the authority, and tells when it wants a client certificate', async () => {
    const caFile = fileIn(folder, 'ca.pem', ours.certificate);
    await expect(transport({ caFile }).send(data, never)).rejects.toMatchObject({ reason: 'auth' });
    expect(clients).toEqual([undefined]);
  });
});

describe('a client certificate', () => {
  test('is shown', async () => {
    const caFile = fileIn(folder, 'ca.pem', ours.certificate);
    await transport({ caFile, ...(await clientFiles('vb365-exporter')) }).send(data, never);
    expect(clients).toEqual(['vb365-exporter']);
  });

  test('that is renewed counts from the next connection on', async () => {
    const caFile = fileIn(folder, 'ca.pem', ours.certificate);
    const one = transport({ caFile, ...(await clientFiles('first')) });
    await one.send(data, never);
    await clientFiles('second');
    await one.send(data, never);
    expect(clients).toEqual(['first', 'second']);
  });

  test('that cannot be read fails the request and names the file, and is read again', async () => {
    const caFile = fileIn(folder, 'ca.pem', ours.certificate);
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    const one = transport({ caFile, ...files });
    await expect(one.send(data, never)).rejects.toMatchObject({
      reason: 'network',
      message: `Cannot read TLS file "${files.certFile}"`,
    });
    await clientFiles('late');
    await one.send(data, never);
    expect(clients).toEqual(['late']);
  });

  test('that is no certificate fails the request', async () => {
    const caFile = fileIn(folder, 'ca.pem', ours.certificate);
    const keyFile = fileIn(folder, 'key.pem', 'nonsense');
    const certFile = fileIn(folder, 'cert.pem', 'nonsense');
    await expect(transport({ caFile, certFile, keyFile }).send(data, never)).rejects.toMatchObject({
      reason: 'network',
    });
  });
});
