// The issuer of the interoperability tests: an OAuth server on loopback that gives JWT access tokens.
//
//   node server.mjs PORT FOLDER
//
// Each line of its input is a list of keys, such as "a=ES256 b=RS256": from then on these are published,
// and the first one signs. It answers "ready". A key stays in the folder, so that a server that is started
// again has the same ones.

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const [port, folder] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const kinds = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

function key(description) {
  const [kid, alg] = description.split('=');
  const file = join(folder, `${kid}.json`);
  if (!existsSync(file)) {
    const jwk = kinds[alg]().privateKey.export({ format: 'jwk' });
    writeFileSync(file, JSON.stringify({ ...jwk, kid, alg, use: 'sig' }));
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

function provider(keys) {
  const [{ kid, alg }] = keys;
  return new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: 'app',
      client_secret: 'of-the-tests',
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: alg,
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    }],
    cookies: { keys: ['of-the-tests'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          audience: resource,
          scope: 'reports:read reports:write',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg, kid } },
        }),
      },
    },
  });
}

let answer = null;
const server = createServer((request, response) => answer(request, response));
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  answer = provider(line.split(' ').map(key)).callback();
  if (server.listening) {
    console.log('ready');
  } else {
    server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
  }
});
lines.on('close', () => process.exit(0));
