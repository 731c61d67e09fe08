/** Schemes that never appear in an `Origin` header. */
const neverSent = new Set(['ws', 'wss', 'file', 'ftp', 'data', 'blob', 'javascript', 'about', 'mailto']);
const web = new Set(['http', 'https']);
const form = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)$/;
const appHost = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?(?::\d{1,5})?$/;
const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const wildcard = '*.';

/**
 * Why an entry of `CORS_ORIGINS` fits no origin that a browser or an app ever sends, or null.
 *
 * @param entry `*`, an origin, or one whose host begins with the wildcard label `*`
 */
export function faultOfOrigin(entry: string): string | null {
  if (entry === '*') return null;
  const [, scheme, host] = form.exec(entry) ?? [];
  if (scheme === undefined || host === undefined) return 'is no origin (scheme://host or scheme://host:port)';
  if (neverSent.has(scheme)) return `has the scheme ${scheme}, which no origin has`;
  const plain = host.startsWith(wildcard) ? `x.${host.slice(wildcard.length)}` : host;
  if (plain.includes('*')) return 'has a wildcard that is not the first label of its host';
  return web.has(scheme) ? faultOfWebOrigin(`${scheme}://${plain}`) : faultOfAppHost(plain);
}

/**
 * Whether an origin equals or matches an entry of `CORS_ORIGINS`. The entry `*` is not considered
 * here.
 */
export function fitsOrigin(entries: readonly string[], origin: string): boolean {
  return entries.some((entry) => entry === origin || (entry.includes(`//${wildcard}`) && fitsWildcard(entry, origin)));
}

/** Whether it is a page of `localhost`, of any port. */
export function isLocalhost(origin: string): boolean {
  return /^https?:\/\/localhost(:\d{1,5})?$/.test(origin);
}

// Browsers write host and port of web origins in one way only.
function faultOfWebOrigin(origin: string): string | null {
  const isSent = URL.canParse(origin) && new URL(origin).origin === origin;
  return isSent ? null : 'is not written as browsers write it (lower case, no default port, no path)';
}

function faultOfAppHost(host: string): string | null {
  return appHost.test(host) ? null : 'has a host that no app has';
}

function fitsWildcard(entry: string, origin: string): boolean {
  const at = entry.indexOf(wildcard);
  const [before, after] = [entry.slice(0, at), entry.slice(at + 1)];
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false;
  return label.test(origin.slice(before.length, origin.length - after.length));
}
