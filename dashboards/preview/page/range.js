/** The time range and the choices of the page, from its address: `?board=vb365-fleet&to=<s>&hours=24&var-session=...`. */
export const address = new URLSearchParams(location.search);
export const to = Number(address.get('to'));
export const hours = Number(address.get('hours') ?? 24);
export const from = to - hours * 3600;
export const scrape = Number(address.get('scrape') ?? 300);

/** Widths of a bar that Grafana may choose, in seconds. */
const widths = [60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

export function stepOf(panel) {
  const least = Math.max(scrape, panel.interval === '5m' ? 300 : 15);
  const wanted = Math.max(least, (to - from) / (panel.maxDataPoints ?? 500));
  return widths.find(width => width >= wanted) ?? 86_400;
}

/** What a choice of a log query is without one in the address: everything, or no text. */
function allOf(name) {
  if (['session', 'initiator', 'search'].includes(name)) return '';
  return name === 'server' ? '.+' : '.*';
}

/** A query with what Grafana fills in; a variable that is not in the address is "All". */
export function filledIn(query, step, text = false) {
  const rate = Math.max(step + scrape, 4 * scrape);
  const chosen = name => address.get(`var-${name}`);
  return query
    .replaceAll('$__rate_interval_ms', String(rate * 1000))
    .replaceAll('$__interval_ms', String(step * 1000))
    .replaceAll('$__rate_interval', `${rate}s`)
    .replaceAll('$__range', `${to - from}s`)
    .replaceAll('$__auto', `${text ? step : to - from}s`)
    .replaceAll(/"\$(\w+)"/g, (_, name) => {
      const all = ['organization', 'workload', 'result', 'status'].includes(name) ? '.*' : '.+';
      return `"${(chosen(name) ?? all).replaceAll('.onmicrosoft', '\\\\.onmicrosoft')}"`;
    })
    .replaceAll(/\$\{(\w+):regex\}/g, (_, name) => chosen(name) ?? allOf(name))
    .replaceAll(/\$\{?(session|initiator|search|trace)\}?/g, (_, name) => chosen(name) ?? '');
}
