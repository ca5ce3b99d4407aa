/** Path prefixes of the REST API, oldest first: VB365 2.0 to 8.x. */
export const apiVersions = ['v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'] as const;
export type ApiVersion = (typeof apiVersions)[number];

/** Whether `version` is `first` or later. */
export const isAtLeast = (version: ApiVersion, first: ApiVersion): boolean =>
  apiVersions.indexOf(version) >= apiVersions.indexOf(first);
