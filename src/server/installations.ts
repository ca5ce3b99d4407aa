/** Which server of this process speaks for which installation: never two for one. */
export interface Installations {
  /** Runs `action` when no other one runs: what one server decides is there before the next decides. */
  alone<T>(action: () => Promise<T>): Promise<T>;
  /** Takes what a server has told of itself. Answers the server that speaks for this installation already, if any. */
  claim(server: string, installationId: string): string | undefined;
  /** The server does not speak for its installation after all. */
  release(server: string): void;
  /** A server is read from, from now on: it is one of those that may turn out to be any installation. */
  join(server: string): void;
  /** A server is read from no more; what it told is forgotten. */
  leave(server: string): void;
  /** Whether a name is that of a server which is, or may turn out to be, this installation. */
  mayBe(name: string, installationId: string): boolean;
}

export function createInstallations(): Installations {
  const names = new Set<string>();
  const told = new Map<string, string>();
  const speakers = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();
  const release = (server: string): void => {
    for (const [installationId, speaker] of speakers) if (speaker === server) speakers.delete(installationId);
  };
  return {
    alone: async action => {
      const mine = last.then(action);
      last = mine.catch(() => undefined);
      return mine;
    },
    claim: (server, installationId) => {
      told.set(server, installationId);
      const speaker = speakers.get(installationId);
      if (speaker !== undefined && speaker !== server) return speaker;
      release(server);
      speakers.set(installationId, server);
      return undefined;
    },
    release,
    join: server => void names.add(server),
    leave: server => {
      names.delete(server);
      told.delete(server);
      release(server);
    },
    mayBe: (name, installationId) => names.has(name) && (told.get(name) ?? installationId) === installationId,
  };
}
