/** The samples of one family in a page of metrics, a line each. */
export function linesOf(page: string, family: string): readonly string[] {
  const own = new RegExp(`^${family}(_bucket|_sum|_count)?[{ ]`);
  return page.split('\n').filter(line => own.test(line));
}
