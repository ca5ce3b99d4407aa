import { afterEach, expect, test } from '@jest/globals';
import { env } from 'node:process';
import { serverResource } from '../../src/otlp/sinks.js';

const of = () =>
  serverResource({ server: 'hq', url: new URL('https://user@vb365.example.com:4443/x'), version: '1.2.3' }).attributes;

afterEach(() => {
  delete env['OTEL_RESOURCE_ATTRIBUTES'];
  delete env['OTEL_SERVICE_NAME'];
});

const ours = {
  'service.name': 'vb365-exporter',
  'service.version': '1.2.3',
  'service.instance.id': 'hq',
  'server.address': 'vb365.example.com',
};

test('says which service and which server it is', () => {
  expect(of()).toEqual(ours);
});

test('takes on what the environment adds, but stays the server it is', () => {
  env['OTEL_RESOURCE_ATTRIBUTES'] =
    'deployment.environment.name=prod,service.instance.id=x,server.address=y,service.name=z,service.version=9';
  expect(of()).toEqual({
    ...ours,
    'service.name': 'z',
    'service.version': '9',
    'deployment.environment.name': 'prod',
  });
});

test('lets OTEL_SERVICE_NAME have the last word on the name', () => {
  env['OTEL_RESOURCE_ATTRIBUTES'] = 'service.name=z';
  env['OTEL_SERVICE_NAME'] = 'audit';
  expect(of()).toMatchObject({ 'service.name': 'audit' });
});

test('does without what cannot be read', () => {
  env['OTEL_RESOURCE_ATTRIBUTES'] = 'nonsense,,=';
  expect(of()).toEqual(ours);
});

test('says an IPv6 address without the brackets that a URL puts around it', () => {
  const { attributes } = serverResource({ server: 'hq', url: new URL('https://[fd00::7]:4443'), version: '1.2.3' });
  expect(attributes['server.address']).toBe('fd00::7');
});
