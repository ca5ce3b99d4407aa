/** In a file without imports, so that the help needs nothing else. */
export const reportFormats = ['csv', 'json', 'html'] as const;
export const reportTables = ['rows', 'totals', 'overdue'] as const;
