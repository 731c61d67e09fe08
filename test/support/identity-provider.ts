/** An identity provider on loopback that can be made to hang. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

export class IdentityProvider {
  /** Questions for the key set that got no answer. */
  unanswered = 0;
  isHanging = false;

  private constructor(
    private readonly server: Server,
    private readonly key: CryptoKey,
  ) {}

  static async start(): Promise<IdentityProvider> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'known', alg: 'ES256' }] });
    const server = createServer((_request, response) => {
      if (provider.isHanging) provider.unanswered += 1;
      else response.setHeader('content-type', 'application/json').end(keys);
    });
    const provider = new IdentityProvider(server, privateKey);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return provider;
  }

  /** For `JWT_JWKS_URL`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/keys`;
  }

  /** @param kid only `known` is in the key set */
  tokenFor(userId: string, kid = 'known'): Promise<string> {
    const token = new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).setSubject(userId);
    return token.setIssuedAt().setExpirationTime('1h').sign(this.key);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
