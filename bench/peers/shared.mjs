// This is what both peers have in common: the Argon2id parameters, the signatures, the users that are there from the
// start, the socket and the line that says that a server is ready.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { Algorithm, Version, hash, verify } from '@node-rs/argon2';

// These are the server's own parameters, so that a password costs every peer the same: 64 MiB, one iteration, version
// 1.3, 32 bytes of output, 16 bytes of salt (the package's default), and as many lanes as there are CPUs. The package
// fills the lanes in parallel.
const parameters = {
  algorithm: Algorithm.Argon2id,
  version: Version.V0x13,
  memoryCost: 65536,
  timeCost: 1,
  parallelism: Number(process.env.LANES ?? availableParallelism()),
  outputLen: 32,
};

// Tokens are signed as the server's are.
export const signature = { alg: 'RS256', modulusLength: 2048 };

export const hashPassword = (password) => hash(password, parameters);

// The package reads the parameters from the stored hash, as the server does.
export const verifyPassword = (stored, password) => verify(stored, password);

// These are the users to begin with. All share one hash, which is made once, so that a start takes no longer with more
// users. A sign-in cannot tell: it verifies against the stored hash of its user alone.
export async function users() {
  const stored = await hashPassword('correct horse battery staple');
  const count = Number(process.env.USERS ?? 200);
  return Array.from({ length: count }, (_, n) => ({ email: `user-${n}@example.com`, hash: stored }));
}

// Both libraries want to know their own address when they are set up, and port 0 has one only once it is bound.
export async function listen() {
  const server = createServer().listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

export function ready(name, url, more) {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));
  const { memoryCost, timeCost, parallelism } = parameters;
  const configuration = {
    version: dependencies[name],
    node: process.version,
    argon2: dependencies['@node-rs/argon2'],
    parameters: `m=${memoryCost},t=${timeCost},p=${parallelism}`,
    signature: `${signature.alg} and ${signature.modulusLength} bits`,
  };
  console.log(JSON.stringify({ name, url, ...configuration, ...more }));
}
