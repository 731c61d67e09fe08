/**
 * 128 random bits in hexadecimal. Not `crypto.randomUUID`, which browsers offer to pages served
 * over https only.
 */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
