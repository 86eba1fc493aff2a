// This is a login server made of oidc-provider, a peer to measure against. It is set up as in production, but that it
// listens to plain HTTP and keeps everything in memory, as no database should be what is measured. It has one public
// client, as our users' apps are: PKCE, no secret. Access tokens are JWTs, signed with RS256 and 2048 bits, and refresh
// tokens rotate.
//
// PORT (default 0, a free one), USERS (default 200) and LANES (default the number of CPUs) are read from the
// environment. Set NODE_ENV=production. When it is ready, one line of JSON on stdout has `name`, `url`, its
// configuration, `clientId` and `redirectUri`. An idle connection is closed after 5 seconds.
//
// Sign-in is four requests. It begins without cookies, or the session of an earlier one would spare it the password.
// 1. GET /auth?client_id=<clientId>&response_type=code&redirect_uri=<redirectUri>&scope=offline_access&prompt=consent
//      &code_challenge=<base64url of the SHA-256 of the verifier, without padding>&code_challenge_method=S256
//    The verifier is 43 to 128 random letters, digits, `-`, `.`, `_` or `~`. The answer is 303 with a relative
//    `Location: /interaction/<uid>` and the cookies `_interaction` and `_interaction.sig`, for that path, and
//    `_interaction_resume` and `_interaction_resume.sig`, for /auth/<uid>. The values need no decoding.
// 2. POST /interaction/<uid>
//    Content-Type: application/json
//    Cookie: _interaction=<value>; _interaction.sig=<value>
//    {"email":"user-0@example.com","password":"correct horse battery staple"}
//    The answer is 303 with an absolute `Location: <url>/auth/<uid>`, or 401 for a wrong password.
// 3. GET /auth/<uid>
//    Cookie: _interaction_resume=<value>; _interaction_resume.sig=<value>
//    The answer is 303 with `Location: <redirectUri>?code=<code>&iss=<url>`, which is not to be followed, and with
//    cookies that only another sign-in of the same browser would need.
// 4. POST /token
//    Content-Type: application/x-www-form-urlencoded
//    grant_type=authorization_code&client_id=<clientId>&code=<code>&redirect_uri=<redirectUri>&code_verifier=<verifier>
//    The answer is 200 and {"access_token":"<JWT>","expires_in":900,"refresh_token":"<opaque>","scope":"",
//    "token_type":"Bearer"}. It needs no cookie.
//
// A refresh is one request, without cookies:
//   POST /token
//   Content-Type: application/x-www-form-urlencoded
//   grant_type=refresh_token&client_id=<clientId>&refresh_token=<refresh token>
// The answer is like that of step 4, with a new JWT and a new refresh token. The one before it is used up: if it comes
// again, the answer is 400 and the whole grant ends, so that the refreshes of one sign-in must follow each other.
//
// With `scope=openid offline_access` in step 1, step 4 and the refresh sign an ID token too, which ours do not.
// The keys are at GET /jwks.

import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { json } from 'node:stream/consumers';
import Provider from 'oidc-provider';
import { listen, ready, signature, users, verifyPassword } from './shared.mjs';

const clientId = 'bench';
const redirectUri = 'http://127.0.0.1/callback';
const minute = 60;
const day = 24 * 60 * minute;

const accounts = (await users()).map(({ email, hash }) => {
  const accountId = randomUUID();
  return { email, hash, accountId, claims: () => ({ sub: accountId }) };
});
const byEmail = new Map(accounts.map((account) => [account.email, account]));
const byId = new Map(accounts.map((account) => [account.accountId, account]));

// The library's own memory adapter drops the oldest of its entries when there are more than 1,000, which would end
// sessions in the middle of a benchmark. This one keeps what is not destroyed. The library itself refuses what has
// expired.
const entries = new Map();
const sessionIds = new Map();
const grants = new Map();

const adapter = (model) => {
  const key = (id) => `${model}:${id}`;
  return {
    async upsert(id, payload) {
      entries.set(key(id), payload);
      if (model === 'Session') {
        sessionIds.set(payload.uid, id);
      }
      if (payload.grantId) {
        const members = grants.get(payload.grantId) ?? new Set();
        grants.set(payload.grantId, members.add(key(id)));
      }
    },
    async find(id) {
      return entries.get(key(id));
    },
    async findByUid(uid) {
      return entries.get(key(sessionIds.get(uid)));
    },
    async consume(id) {
      entries.get(key(id)).consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      entries.delete(key(id));
    },
    async revokeByGrantId(grantId) {
      grants.get(grantId)?.forEach((member) => entries.delete(member));
      grants.delete(grantId);
    },
  };
};

const { alg, modulusLength } = signature;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
const { server, url } = await listen();

const provider = new Provider(url, {
  adapter,
  clients: [
    {
      client_id: clientId,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  ],
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  features: {
    devInteractions: { enabled: false },
    // Only an access token for a resource can be a JWT. The resource is there without being asked for, and stays the
    // default with the openid scope, which would else turn the access token into an opaque one for /me.
    resourceIndicators: {
      defaultResource: () => 'urn:bench:api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg } } }),
    },
  },
  findAccount: (_, id) => byId.get(id),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' }] },
  rotateRefreshToken: true,
  // Our own access tokens and sessions live as long. What is left out here is noted on stdout, at its first use.
  ttl: {
    AccessToken: 15 * minute,
    AuthorizationCode: minute,
    Grant: 30 * day,
    IdToken: 15 * minute,
    Interaction: 60 * minute,
    RefreshToken: 30 * day,
    Session: 30 * day,
  },
});

// The password and the consent are given in one step, so that a sign-in takes as few requests as it can.
provider.use(async (ctx, next) => {
  if (ctx.method !== 'POST' || !ctx.path.startsWith('/interaction/')) {
    return next();
  }
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const { email, password } = await json(ctx.req);
  const account = byEmail.get(email);
  if (!account || !(await verifyPassword(account.hash, password))) {
    ctx.status = 401;
    ctx.body = { error: 'invalid_credentials' };
    return;
  }
  const { accountId } = account;
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  ctx.status = 303;
});

server.on('request', provider.callback());
ready('oidc-provider', url, { clientId, redirectUri });
