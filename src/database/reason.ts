/** The driver's or the server's own words, in one line. */
export function reasonOf(error: unknown): string {
  // Node reports several addresses of one host as one error without a text of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const text = error instanceof Error ? error.message || error.name : String(error);
  const { code } = error as { code?: unknown };
  const words = text.replace(/\s+/g, ' ').trim();
  return typeof code === 'string' && !words.includes(code) ? `${words} (${code})` : words;
}
