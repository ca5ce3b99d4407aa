import { Installations } from '../../src/server/installation.js';

/** These servers, none of which has reported its installation. */
export function installationsOf(...servers: readonly string[]): Installations {
  const installations = new Installations();
  for (const server of servers) installations.add(server);
  return installations;
}
