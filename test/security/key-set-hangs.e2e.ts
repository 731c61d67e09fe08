import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, refusedConnection } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { range } from '../support/hearing.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { atMost, eventually } from '../setup/patience.js';

let cluster: TestCluster;
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await IdentityProvider.start();
  cluster = await TestCluster.start({ redis: false, settings: { jwtSecret: undefined, jwtJwksUrl: provider.url } });
});

afterAll(async () => {
  await cluster?.stop();
  provider?.stop();
});

async function signIn(userId: string): Promise<void> {
  const client = await connect(cluster.url(), userId, { token: await provider.tokenFor(userId) });
  client.close();
}

it('a key set that hangs delays no good sign-in at the handshake', async () => {
  await signIn('early');
  provider.isHanging = true;
  // A reading that hangs is given up after 2 s, and begins again 5 s after it began.
  await eventually(async () => {
    const unanswered = provider.unanswered;
    let refused = 0;
    const attempts = range(1, 50).map(async (i) => {
      const { code } = await refusedConnection(cluster.url(), {
        token: await provider.tokenFor('late', `unknown-${i}`),
      });
      refused += 1;
      return code;
    });
    try {
      await expect.poll(() => provider.unanswered + refused).toBeGreaterThan(unanswered);
      const startedAt = performance.now();
      await signIn('good');
      expect(performance.now() - startedAt).toBeLessThan(atMost(500));
      // All of them still wait for the key set, and the good one did not wait with them.
      expect([provider.unanswered, refused]).toEqual([unanswered + 1, 0]);
    } finally {
      expect(new Set(await Promise.all(attempts))).toEqual(new Set(['UNAVAILABLE']));
    }
  }, 15_000);
});
