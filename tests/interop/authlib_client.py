# An OAuth client and a resource server of authlib and joserfc. Prints what came of it, as JSON.
#
#   python authlib_client.py
#
# clients.rs says in the environment who they are, and what is to come of it.

import json
import os
from urllib.parse import quote_plus

# What it talks to is on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.requests_client import OAuth2Session, OAuthError  # noqa: E402
from authlib.oauth2.rfc7662 import IntrospectTokenValidator  # noqa: E402
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url  # noqa: E402
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator  # noqa: E402
from joserfc import jwt  # noqa: E402
from joserfc.jwk import KeySet  # noqa: E402
from joserfc.jwt import JWTClaimsRegistry  # noqa: E402

ISSUER, AUDIENCE, API = (os.environ[name] for name in ("ISSUER", "AUDIENCE", "API"))
ALGORITHM = os.environ["ALGORITHM"]
CLIENT = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
RESOURCE_SERVER = os.environ["RESOURCE_SERVER_ID"], os.environ["RESOURCE_SERVER_SECRET"]
CHOSEN_SECRET = os.environ["CHOSEN_SECRET"]


def session(client=(None, None), **options):
    made = OAuth2Session(*client, **options)
    # Neither proxies nor passwords of whoever runs this.
    made.trust_env = False
    return made


def fetch(url):
    answer = session().get(url, withhold_token=True)
    answer.raise_for_status()
    return answer.json()


def discover():
    metadata = AuthorizationServerMetadata(fetch(get_well_known_url(ISSUER, external=True)))
    # Required and empty (RFC 8414 section 2), which authlib takes for missing.
    assert metadata["response_types_supported"] == []
    AuthorizationServerMetadata(metadata, response_types_supported=["none"]).validate()
    assert metadata["issuer"] == ISSUER
    return metadata


METADATA = discover()
KEYS = fetch(METADATA["jwks_uri"])


class AccessTokens(JWTBearerTokenValidator):
    """Tokens that are verified here (RFC 9068 section 4)."""

    def get_jwks(self):
        return KEYS


class IntrospectedTokens(IntrospectTokenValidator):
    """Tokens that the server is asked about (RFC 7662)."""

    def __init__(self, client):
        super().__init__()
        self.client = client

    def introspect_token(self, token_string):
        answer = self.client.introspect_token(METADATA["introspection_endpoint"], token_string)
        answer.raise_for_status()
        return answer.json()


CLAIMS = JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True, "value": CLIENT[0]},
    client_id={"essential": True, "value": CLIENT[0]},
    **{name: {"essential": True} for name in ("exp", "iat", "jti")},
)


def verify(token):
    """The header and the claims, once both libraries have let them pass."""
    verified = jwt.decode(token, KeySet.import_key_set(KEYS), algorithms=[ALGORITHM])
    CLAIMS.validate(verified.claims)
    # authlib takes only what joserfc recommends, which EdDSA is not since RFC 9864.
    if ALGORITHM != "EdDSA":
        validator = AccessTokens(ISSUER, AUDIENCE)
        validator.validate_token(validator.authenticate_token(token), ["reports:read"], None)
    return verified.header, verified.claims


def api(token):
    """The status with which the API answers."""
    if token is None:
        return session().get(API, withhold_token=True).status_code
    return session(token={"access_token": token, "token_type": "Bearer"}).get(API).status_code


def error(ask, *arguments, **parameters):
    """The code with which a request is refused."""
    try:
        ask(*arguments, **parameters)
    except OAuthError as refusal:
        return refusal.error
    return None


def walk(method):
    """All that a client does, authenticated in this way."""
    options = {
        "token_endpoint": METADATA["token_endpoint"],
        "token_endpoint_auth_method": method,
        "revocation_endpoint_auth_method": method,
        "grant_type": "client_credentials",
    }
    client, server = session(CLIENT, **options), session(RESOURCE_SERVER, **options)
    wrong = session((CLIENT[0], "of-somebody-else"), **options)
    asked, asked_by_owner = IntrospectedTokens(server), IntrospectedTokens(client)
    done = {}

    def introspect(validator, token, scope):
        known = validator.authenticate_token(token)
        validator.validate_token(known, [scope], None)
        return {name: known.get(name) for name in ("client_id", "iss", "scope", "token_type")}

    def revoke(token, hint=None):
        answer = client.revoke_token(METADATA["revocation_endpoint"], token, hint)
        return answer.status_code

    first = dict(client.fetch_token())
    done["granted"] = [first["token_type"], first["expires_in"], first["scope"]]
    header, claims = verify(first["access_token"])
    narrow = client.fetch_token(scope="reports:write", resource=AUDIENCE)
    done["narrowed"] = narrow["scope"]
    done["api"] = [api(token) for token in (first["access_token"], narrow["access_token"], None)]
    done["introspected"] = introspect(asked, first["access_token"], "reports:read")
    done["introspected_by_owner"] = introspect(
        asked_by_owner, first["access_token"], "reports:write"
    )

    # The one before the current one is answered again, older ones are not.
    second = dict(client.refresh_token(refresh_token=first["refresh_token"]))
    done["refreshed"] = api(second["access_token"])
    done["rotated"] = second["refresh_token"] != first["refresh_token"]
    again = dict(client.refresh_token(refresh_token=first["refresh_token"]))
    done["repeated"] = again["refresh_token"] == second["refresh_token"]
    third = dict(client.refresh_token(refresh_token=second["refresh_token"], scope="reports:read"))
    done["narrowed_by_refresh"] = third["scope"]
    done["replayed"] = error(client.refresh_token, refresh_token=first["refresh_token"])
    done["current_after_replay"] = error(
        client.refresh_token, refresh_token=third["refresh_token"]
    )
    done["api_after_replay"] = [api(one["access_token"]) for one in (first, second, third)]

    # With the refresh token its access tokens end, and not the other way round.
    tokens = dict(client.fetch_token())
    done["revoked_access_token"] = revoke(tokens["access_token"], "access_token")
    done["api_after_revocation"] = [api(tokens["access_token"])]
    tokens = dict(client.refresh_token(refresh_token=tokens["refresh_token"]))
    done["api_after_refresh"] = api(tokens["access_token"])
    done["revoked_refresh_token"] = revoke(tokens["refresh_token"], "refresh_token")
    done["refreshed_after_revocation"] = error(
        client.refresh_token, refresh_token=tokens["refresh_token"]
    )
    done["api_after_revocation"].append(api(tokens["access_token"]))
    done["introspected_after_revocation"] = asked.authenticate_token(tokens["access_token"])
    done["revoked_nonsense"] = revoke("nonsense")

    done["refused"] = {
        "wrong_secret": error(wrong.fetch_token),
        "scope": error(client.fetch_token, scope="reports:delete"),
        "resource": error(client.fetch_token, resource="https://other.test"),
        "grant_type": error(client.fetch_token, grant_type="password", username="a", password="b"),
        "no_refresh_tokens": error(server.refresh_token, refresh_token=narrow["refresh_token"]),
        "other_client": asked_by_owner.authenticate_token(server.fetch_token()["access_token"]),
    }
    done["without_refresh_tokens"] = "refresh_token" not in server.token

    chosen = CLIENT[0], CHOSEN_SECRET
    if method == "client_secret_basic":
        # RFC 6749 section 2.3.1; authlib leaves it to the caller.
        chosen = tuple(quote_plus(part) for part in chosen)
    done["chosen_secret"] = session(chosen, **options).fetch_token()["scope"]
    return done, header, claims


methods = METADATA["token_endpoint_auth_methods_supported"]
walks = {method: walk(method) for method in methods}
_, header, claims = walks[methods[0]]
print(
    json.dumps(
        {
            "done": {method: done for method, (done, _, _) in walks.items()},
            "header": header,
            "claims": claims,
            "metadata": METADATA,
        }
    )
)
