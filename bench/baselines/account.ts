/** When each event ended, by its id, and when each record came first and how often. */
export type Books = Readonly<{
  ended: ReadonlyMap<string, number>;
  arrived: ReadonlyMap<string, Readonly<{ atMs: number; times: number }>>;
}>;

/** What the book of the server and that of the receiver say together of the events since a time. */
export function account({ ended, arrived }: Books, sinceMs: number) {
  const news = [...ended].filter(([, atMs]) => atMs >= sinceMs);
  const came = news.flatMap(([id, atMs]) => {
    const arrival = arrived.get(id);
    return arrival === undefined ? [] : [{ lagMs: arrival.atMs - atMs, arrivedMs: arrival.atMs }];
  });
  const known = [...arrived].filter(([uid]) => ended.has(uid));
  return {
    events: news.length,
    lost: news.length - came.length,
    repeated: known.reduce((all, [, { times }]) => all + times - 1, 0),
    old: known.filter(([uid]) => (ended.get(uid) ?? 0) < sinceMs).length,
    lagsMs: came.map(({ lagMs }) => lagMs),
    seconds: (Math.max(...came.map(({ arrivedMs }) => arrivedMs)) - sinceMs) / 1_000,
  };
}
