/** `unless`, not a comparison with the baseline alone: an organization without a baseline must not be silent. */
export const unusual = (
  what: string,
  { itemsPerHour, timesBusiest }: Readonly<{ itemsPerHour: number; timesBusiest: number }>,
): string =>
  `organization:vb365_${what}:increase1h > ${String(itemsPerHour)}
unless
organization:vb365_${what}:increase1h <= ${String(timesBusiest)} * organization:vb365_${what}:busiest_hour_of_week`;
