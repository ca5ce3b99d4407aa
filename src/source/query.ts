/** The part of a path from the question mark on. */
export const query = (parameters: Readonly<Record<string, string | number>>): string =>
  `?${Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;
