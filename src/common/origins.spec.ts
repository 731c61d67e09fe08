import { describe, expect, it } from 'vitest';
import { faultOfOrigin, fitsOrigin, isLocalhost } from './origins.js';

describe('an entry of CORS_ORIGINS', () => {
  it.each([
    '*',
    'https://app.example.com',
    'http://localhost:5173',
    'http://192.0.2.7:8080',
    'http://[::1]:3000',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://*.localhost:3000',
    'https://xn--bcher-kva.example',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://localhost:1234',
    'com.example.chat://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  ])('may be %s', (entry) => {
    expect(faultOfOrigin(entry)).toBeNull();
  });

  it('with a wildcard fits exactly one label in its place', () => {
    const fits = (origin: string) => fitsOrigin(['https://a.example', 'https://*.example.com:8443'], origin);
    expect(['https://a.example', 'https://app.example.com:8443', 'https://a-b_c.example.com:8443'].map(fits)).toEqual([
      true,
      true,
      true,
    ]);
    const foreign = [
      'https://example.com:8443',
      'https://.example.com:8443',
      'https://a.b.example.com:8443',
      'https://app.example.com',
      'http://app.example.com:8443',
      'https://evilexample.com:8443',
      'https://app.example.com:8443.evil.example',
      'https://evil.example/.example.com:8443',
      'https://user@app.example.com:8443',
      'https://evil:1.example.com:8443',
    ];
    expect(foreign.filter(fits)).toEqual([]);
  });

  it('fits an app, and nothing that begins like it', () => {
    expect(fitsOrigin(['capacitor://localhost'], 'capacitor://localhost')).toBe(true);
    for (const origin of ['capacitor://localhost.evil.example', 'capacitor://localhost:1', 'http://localhost']) {
      expect(fitsOrigin(['capacitor://localhost'], origin)).toBe(false);
    }
  });
});

it('a page of localhost is known on any port', () => {
  expect(['http://localhost', 'https://localhost:8443', 'http://localhost:5173'].every(isLocalhost)).toBe(true);
  const others = [
    'http://localhost.evil.example',
    'http://localhost:1@evil',
    'capacitor://localhost',
    'http://a.localhost',
  ];
  expect(others.some(isLocalhost)).toBe(false);
});
