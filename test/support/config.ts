import { ExporterError } from '../../src/kernel/errors.js';
import { type Config, type ConfigInput, parseConfig } from '../../src/config/parse.js';

/** The smallest valid configuration file. */
export const smallest = `servers:
  - name: hq
    url: https://vb365.example.com:4443
    username: EXAMPLE\\svc-monitor
    password_file: /run/secrets/vb365-password
`;

/** `smallest` with another line in its server. */
export const serverWith = (line: string): string => `${smallest}    ${line}\n`;

/** `smallest` with the line of one of its server's keys replaced. */
export const serverWhere = (key: string, line: string): string =>
  smallest.replace(new RegExp(`${key}: .*`), () => line);

/** The environment of one server. */
export const environment = {
  VB365_URL: 'https://vb365.example.com:4443',
  VB365_USERNAME: 'EXAMPLE\\svc-monitor',
  VB365_PASSWORD: 'a password',
};

export const fromFile = (file: string, env: ConfigInput['env'] = {}): Config => parseConfig({ file, env });

/** The error of an invalid configuration. */
export function refusal(input: ConfigInput): ExporterError {
  try {
    parseConfig(input);
  } catch (thrown) {
    if (thrown instanceof ExporterError) return thrown;
    throw thrown;
  }
  throw new Error('it was accepted');
}

/** The problems of an invalid configuration. */
export const problems = (input: ConfigInput): readonly string[] =>
  refusal(input)
    .message.split('\n')
    .slice(1)
    .map(line => line.replace(/^- /, ''));
