// An OAuth client and a resource server of oauth4webapi and jose. Prints what came of it, as JSON.
//
//   node oauth4webapi_client.mjs
//
// clients.rs says in the environment who they are, and what is to come of it.

import assert from 'node:assert/strict';
import process from 'node:process';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

const { ISSUER, AUDIENCE, API, ALGORITHM } = process.env;
const { CLIENT_ID, CLIENT_SECRET, CHOSEN_SECRET } = process.env;
const { RESOURCE_SERVER_ID, RESOURCE_SERVER_SECRET } = process.env;

// What it talks to is on loopback.
const insecure = { [oauth.allowInsecureRequests]: true };

async function discover() {
  const issuer = new URL(ISSUER);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  return oauth.processDiscoveryResponse(issuer, answer);
}

const metadata = await discover();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

/** The header and the claims, once both libraries have let them pass. */
async function verify(token) {
  const verified = await jwtVerify(token, keys, {
    algorithms: [ALGORITHM],
    audience: AUDIENCE,
    issuer: ISSUER,
    requiredClaims: ['client_id', 'exp', 'iat', 'jti', 'sub'],
    typ: 'at+jwt',
  });
  const request = new Request(API, { headers: { authorization: `Bearer ${token}` } });
  const options = { signingAlgorithms: [ALGORITHM], ...insecure };
  const claims = await oauth.validateJwtAccessToken(metadata, request, AUDIENCE, options);
  assert.deepEqual({ ...claims }, { ...verified.payload });
  return { header: verified.protectedHeader, claims };
}

/** The status with which the API answers. Its refusals have a challenge. */
async function api(token) {
  const url = new URL(API);
  try {
    const answer = token === undefined
      ? await fetch(url)
      : await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, insecure);
    return answer.status;
  } catch (refusal) {
    assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError, refusal);
    const [{ scheme, parameters }] = refusal.cause;
    assert.equal(scheme, 'bearer');
    const errors = { 401: 'invalid_token', 403: 'insufficient_scope' };
    assert.equal(parameters.error, errors[refusal.status]);
    return refusal.status;
  }
}

/** The code with which a request is refused. */
async function error(asked) {
  try {
    await asked;
    return null;
  } catch (refusal) {
    if (refusal instanceof oauth.ResponseBodyError) {
      return refusal.error;
    }
    assert.ok(refusal instanceof oauth.WWWAuthenticateChallengeError, refusal);
    assert.equal(refusal.cause[0].scheme, 'basic');
    return (await refusal.response.json()).error;
  }
}

const methods = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
};

/** A client, and what it can ask for. */
function application(method, id, secret) {
  const client = { client_id: id };
  const authentication = methods[method](secret);
  const request = (send, ...rest) => send(metadata, client, authentication, ...rest, insecure);
  return {
    tokens: async (parameters = {}) => oauth.processClientCredentialsResponse(
      metadata,
      client,
      await request(oauth.clientCredentialsGrantRequest, parameters),
    ),
    refresh: async (token, parameters = {}) => oauth.processRefreshTokenResponse(
      metadata,
      client,
      await oauth.refreshTokenGrantRequest(metadata, client, authentication, token, {
        additionalParameters: parameters,
        ...insecure,
      }),
    ),
    other: async (grant, parameters) => oauth.processGenericTokenEndpointResponse(
      metadata,
      client,
      await request(oauth.genericTokenEndpointRequest, grant, parameters),
    ),
    introspect: async (token) => oauth.processIntrospectionResponse(
      metadata,
      client,
      await request(oauth.introspectionRequest, token),
    ),
    revoke: async (token, hint) => {
      const additionalParameters = hint === undefined ? {} : { token_type_hint: hint };
      const options = { additionalParameters, ...insecure };
      const answer = await oauth.revocationRequest(metadata, client, authentication, token, options);
      await oauth.processRevocationResponse(answer);
      return answer.status;
    },
  };
}

/** All that a client does, authenticated in this way. */
async function walk(method) {
  const client = application(method, CLIENT_ID, CLIENT_SECRET);
  const wrong = application(method, CLIENT_ID, 'of-somebody-else');
  const server = application(method, RESOURCE_SERVER_ID, RESOURCE_SERVER_SECRET);
  const done = {};

  const introspect = async (asking, token) => {
    const known = await asking.introspect(token);
    assert.equal(known.active, true);
    const { client_id, iss, scope, token_type } = known;
    return { client_id, iss, scope, token_type };
  };
  // oauth4webapi makes the type of a token lower-case, as it is compared in any case.
  const first = await client.tokens();
  assert.equal(first.token_type, 'bearer');
  done.granted = ['Bearer', first.expires_in, first.scope];
  const { header, claims } = await verify(first.access_token);
  const narrow = await client.tokens({ scope: 'reports:write', resource: AUDIENCE });
  done.narrowed = narrow.scope;
  done.api = [await api(first.access_token), await api(narrow.access_token), await api()];
  done.introspected = await introspect(server, first.access_token);
  done.introspected_by_owner = await introspect(client, first.access_token);

  // The one before the current one is answered again, older ones are not.
  const second = await client.refresh(first.refresh_token);
  done.refreshed = await api(second.access_token);
  done.rotated = second.refresh_token !== first.refresh_token;
  const again = await client.refresh(first.refresh_token);
  done.repeated = again.refresh_token === second.refresh_token;
  const third = await client.refresh(second.refresh_token, { scope: 'reports:read' });
  done.narrowed_by_refresh = third.scope;
  done.replayed = await error(client.refresh(first.refresh_token));
  done.current_after_replay = await error(client.refresh(third.refresh_token));
  done.api_after_replay = [];
  for (const { access_token } of [first, second, third]) {
    done.api_after_replay.push(await api(access_token));
  }

  // With the refresh token its access tokens end, and not the other way round.
  let tokens = await client.tokens();
  done.revoked_access_token = await client.revoke(tokens.access_token, 'access_token');
  done.api_after_revocation = [await api(tokens.access_token)];
  tokens = await client.refresh(tokens.refresh_token);
  done.api_after_refresh = await api(tokens.access_token);
  done.revoked_refresh_token = await client.revoke(tokens.refresh_token, 'refresh_token');
  done.refreshed_after_revocation = await error(client.refresh(tokens.refresh_token));
  done.api_after_revocation.push(await api(tokens.access_token));
  done.introspected_after_revocation = await server.introspect(tokens.access_token);
  done.revoked_nonsense = await client.revoke('nonsense');

  const own = await server.tokens();
  done.refused = {
    wrong_secret: await error(wrong.tokens()),
    scope: await error(client.tokens({ scope: 'reports:delete' })),
    resource: await error(client.tokens({ resource: 'https://other.test' })),
    grant_type: await error(client.other('password', { username: 'a', password: 'b' })),
    no_refresh_tokens: await error(server.refresh(narrow.refresh_token)),
    other_client: await client.introspect(own.access_token),
  };
  done.without_refresh_tokens = own.refresh_token === undefined;
  done.chosen_secret = (await application(method, CLIENT_ID, CHOSEN_SECRET).tokens()).scope;
  return { done, header, claims };
}

const walks = {};
for (const method of metadata.token_endpoint_auth_methods_supported) {
  walks[method] = await walk(method);
}
const [{ header, claims }] = Object.values(walks);
const done = Object.entries(walks).map(([method, { done }]) => [method, done]);
console.log(JSON.stringify({ done: Object.fromEntries(done), header, claims, metadata }));
