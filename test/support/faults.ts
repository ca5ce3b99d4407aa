import type { Response } from 'express';
import type { ServerResponse } from 'node:http';
import { systemClock } from '../../src/kernel/clock.js';
import type { Intercept } from '../../src/simulator/traffic.js';

/** Something that goes wrong with a request to the simulator. */
export type Fault = Intercept;

/** Breaks the connection before anything is answered. */
export const reset: Fault = (_, { response }) => void response.destroy();

/** Never answers. */
export const silence: Fault = () => undefined;

/** Answers a byte now and then, for ever. */
export const drip: Fault = async (_, { response }) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 });
  while (!response.destroyed) {
    response.write(' ');
    await systemClock.sleep(20, new AbortController().signal);
  }
};

/** Answers in the server's place. */
export const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault =>
  (_, { response }) =>
    void response.writeHead(status, { ...headers }).end(body);

/** What a proxy says when it has something to say. */
export const webPage = (status: number): Fault =>
  answer(status, { 'content-type': 'text/html' }, '<!doctype html><title>Sign in</title><h1>Sign in</h1>');

/** Lets the server answer, and does something else with its JSON. */
const withJson =
  (send: (response: ServerResponse, text: string) => void): Fault =>
  (_, { response, proceed }) => {
    (response as Response).json = value => {
      send(response, JSON.stringify(value));
      return response as Response;
    };
    proceed();
  };

const json = { 'content-type': 'application/json; charset=utf-8' };

/** Half of the answer, as if it were all of it. */
export const truncated: Fault = withJson((response, text) =>
  response.writeHead(200, json).end(text.slice(0, text.length / 2)),
);

/** Half of the answer, then the connection breaks. */
export const cut: Fault = withJson((response, text) => {
  response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
});

/** Another answer made of the server's own. */
export const altered = (change: (body: unknown) => unknown): Fault =>
  withJson((response, text) => response.writeHead(200, json).end(JSON.stringify(change(JSON.parse(text)))));

/** The server's own answer, and something else that happens then. */
export const afterwards =
  (happen: () => void): Fault =>
  (_, { response, proceed }) => {
    response.once('finish', happen);
    proceed();
  };

/** The answer to another question than was asked: `change` is done to the path and query. */
export const misread =
  (change: (url: string) => string): Fault =>
  (_, { request, proceed }) => {
    request.url = change(request.url ?? '');
    proceed();
  };

/** Both, the second around the first. */
export const both =
  (first: Fault, second: Fault): Fault =>
  async (call, exchange) =>
    first(call, { ...exchange, proceed: () => void second(call, exchange) });

/** The page at any offset is the one that is asked for, its rows those of the first. */
export const sameRows = (): Fault => {
  let first: unknown;
  return altered(body => {
    const page = body as { results: unknown[] };
    first ??= page.results;
    return { ...page, results: first };
  });
};
