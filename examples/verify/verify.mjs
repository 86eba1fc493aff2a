// Verifies an access token: node verify.mjs TOKEN, after npm install jose.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'

const { FREEHOLD_PUBLIC_URL: publicUrl, FREEHOLD_POOL: pool, FREEHOLD_AUDIENCE: audience } = process.env
const { origin, protocol, hostname } = new URL(publicUrl)
const isSafe = protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
if (!isSafe || origin !== publicUrl || !pool || !audience) throw new Error('a FREEHOLD_ variable is missing or wrong')

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export async function verify(token) {
  const { iss, sub } = decodeJwt(token) // Nothing is verified yet, so only the one right issuer is asked for its keys.
  const isOfPool = typeof sub === 'string' && UUID.test(sub) && iss === `${publicUrl}/${pool}/users/${sub}`
  if (!isOfPool) throw new Error('not an issuer of this pool')
  const keys = await keysOf(iss)
  if (!keys) throw new Error('the issuer has no keys')
  const expected = { algorithms: ['RS256'], typ: 'at+jwt', issuer: iss, audience, requiredClaims: ['exp'] }
  const { payload } = await jwtVerify(token, keys, { ...expected, clockTolerance: 5 })
  if (payload.client_id !== pool) throw new Error('a token for another client')
  return payload
}

const cache = new Map() // At most 1,000 answers, failures among them, each used for at most a minute.
function keysOf(issuer) {
  const key = `${Math.floor(Date.now() / 60_000)} ${issuer}`
  if (cache.size >= 1000) cache.clear()
  if (!cache.has(key)) cache.set(key, fetchKeys(issuer).catch(() => undefined))
  return cache.get(key)
}

async function fetchKeys(issuer) {
  const options = { redirect: 'error', signal: AbortSignal.timeout(2000) }
  const response = await fetch(`${issuer}/.well-known/jwks.json`, options)
  let body = Buffer.alloc(0)
  for await (const chunk of response.body) {
    body = Buffer.concat([body, chunk])
    if (body.length > 16 * 1024) throw new Error('too long for a key set')
  }
  return response.status === 200 ? createLocalJWKSet(JSON.parse(body)) : undefined
}

if (process.argv[1]?.endsWith('verify.mjs')) {
  await verify(process.argv[2]).then(
    (claims) => console.log(JSON.stringify(claims)),
    (error) => { console.error(`refused: ${error.message}`); process.exitCode = 1 },
  )
}
