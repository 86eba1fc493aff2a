// This is a login server made of better-auth, a peer to measure against. It is set up as in production, but that it
// keeps everything in memory, as no database should be what is measured, and that it limits no rates, as it would
// refuse the load. It signs with RS256 and 2048 bits, not with its default of Ed25519, so that a signature costs what
// ours costs.
//
// PORT (default 0, a free one), USERS (default 200) and LANES (default the number of CPUs) are read from the
// environment. Set NODE_ENV=production. When it is ready, one line of JSON on stdout has `name`, `url` and its
// configuration. Answers have chunked bodies. An idle connection is closed after 5 seconds.
//
// Sign-in is one request. It must have no Cookie header, or else it needs an Origin header too:
//   POST /api/auth/sign-in/email
//   Content-Type: application/json
//   {"email":"user-0@example.com","password":"correct horse battery staple"}
// A right password is answered with 200, `Set-Cookie: better-auth.session_token=<value>; Max-Age=604800; Path=/;
// HttpOnly; SameSite=Lax` and {"redirect":false,"token":"<session token>","user":{…}}, a wrong one with 401. No JWT is
// made yet: a client that wants one, as our sign-in gives it, goes on with the next request.
//
// The nearest to a refresh is one request. The cookie's value goes back as it came, percent signs included:
//   GET /api/auth/token
//   Cookie: better-auth.session_token=<value>
// It is answered with 200 and {"token":"<JWT>"}, else with 401. The session is looked up and an access token for 15
// minutes is signed, but nothing is rotated or written: the cookie stays good for 7 days, and a session is renewed at
// most once a day. The JWT has no `jti`, so that two of the same second are the same, though each is signed anew. The
// keys are at GET /api/auth/jwks.

import { randomBytes } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { hashPassword, listen, ready, signature, users, verifyPassword } from './shared.mjs';

const { server, url } = await listen();

const auth = betterAuth({
  baseURL: url,
  secret: randomBytes(32).toString('base64url'),
  database: memoryAdapter({ user: [], account: [], verification: [], jwks: [] }),
  // The memory adapter looks at every row of a table for each query. Sessions get a map, as they get Redis in
  // production: a session check would cost more with every sign-in before it.
  secondaryStorage: new Map(),
  emailAndPassword: {
    enabled: true,
    password: { hash: hashPassword, verify: ({ hash, password }) => verifyPassword(hash, password) },
  },
  plugins: [jwt({ jwks: { keyPairConfig: signature } })],
  // A session in a cookie's cache would be believed without a look at the store, and so would one that has ended.
  session: { cookieCache: { enabled: false } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});

// These are the calls that its own sign-up makes, without the hash that each sign-up would make anew.
const { internalAdapter } = await auth.$context;
for (const { email, hash } of await users()) {
  const { id } = await internalAdapter.createUser({ email, name: email, emailVerified: true });
  await internalAdapter.linkAccount({ userId: id, accountId: id, providerId: 'credential', password: hash });
}

// The plugin makes its key when it is first asked for, which should not be while something is measured.
await auth.api.getJwks();

server.on('request', toNodeHandler(auth));
ready('better-auth', url);
