import { createInstallations, type Installations } from '../../src/server/installations.js';

/** Those of a program that reads from these servers. */
export function installationsOf(...servers: readonly string[]): Installations {
  const installations = createInstallations();
  for (const server of servers) installations.join(server);
  return installations;
}
