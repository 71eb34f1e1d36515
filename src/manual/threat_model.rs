//! Each attack, its defence, and the file where the defence stands.
//!
//! | attack | defence | file |
//! |---|---|---|
//! | `alg: none`, or an algorithm of the attacker's choice (RFC 8725 section 2.1) | the algorithm must be one that the issuer lists; `none` is no value of the type | `crypto/algorithm.rs`, `verifier/pipeline.rs` |
//! | the public key used as an HMAC secret | secrets only come from a constructor of their own, never from a key document; one issuer has either secrets or public keys | `key/jwk.rs`, `issuer/builder.rs` |
//! | a key of the attacker's in the header (`jwk`, `jku`, `x5u`, `x5c`) | ignored; keys come from configuration only | `jws/header.rs` |
//! | a token of another issuer, or signed with another issuer's key | keys belong to one issuer; `iss` must be equal byte for byte after the signature | `verifier/pipeline.rs`, `policy/check.rs` |
//! | a token for another service | `aud` must name this one; leaving it out is an error at build time | `policy/check.rs`, `issuer/builder.rs` |
//! | another kind of JWT: an ID token, a logout token | `typ` and the claims of that kind | `policy/check.rs` |
//! | a stolen bound token used without its key | tokens with `cnf` are refused | `policy/check.rs` |
//! | an expired token, a token from the future | `exp`, `nbf`, `iat` by one reading of the clock; arithmetic saturates | `policy/check.rs`, `time.rs` |
//! | repeated members that two readers understand differently | refused, spelled with escapes or not | `json/object.rs`, `json/repeats.rs`, `claims/reader.rs` |
//! | two texts for one token: padding, stray bits, other alphabets | strict base64url | `jws/base64url.rs` |
//! | two signatures for one token | Ed25519 is strict: small-order points, non-canonical points and S at or above the order are refused; nothing uses the token's bytes as an identity | `crypto/ed25519.rs` |
//! | weak keys: RSA below 2048 bits or with e = 1, short secrets, points off the curve | refused when the key is made or prepared | `crypto/material.rs` |
//! | a huge or deeply nested token, a flood of unknown keys | size before decoding, bounds before reading, one signature check per request, no key is ever tried out | `verifier/pipeline.rs`, `json/limits.rs`, `key/index.rs` |
//! | filling the memo of headers | only headers of verified tokens are remembered, and it is bounded | `verifier/memo.rs` |
//! | a token that is remembered as good and is not any more: expired, revoked, its key withdrawn | nothing is remembered but what the token says; all that can change is asked again each time, and a doubt is a token that is not known | `verifier/cache/` |
//! | filling the memory of verified tokens, or having others pushed out of it | only tokens that were accepted get in, by all of their bytes and a hash with a random key; it is bounded, and tokens that come once displace nobody who comes often | `verifier/cache/` |
//! | two `Authorization` lines, of which a proxy and the service read different ones | refused | `token/header.rs` |
//! | a token in the query string, where logs keep it | not read | `token/` |
//! | a request that brings its own proof of identity in the extensions | the layer overwrites it, and the type cannot be made outside | `auth/service.rs`, `verified/` |
//! | a guard or extractor without its layer | 500 and an error event, never a pass | `verified/context.rs`, `refusal.rs` |
//! | learning from refusals what exactly is wrong | one description for all faults of a token but expiry | `challenge/mod.rs` |
//! | header injection through realm, scope or token | configured texts are checked, nothing of the request is answered | `challenge/encode.rs` |
//! | forged log lines, secrets in logs | texts are escaped and cut; tokens and secrets are in no event, error or `Debug` | `event/trace.rs`, `secret.rs` |
//! | a slow or failing event sink | a bounded queue that drops and counts; a panic is caught | `event/queued.rs` |
//! | random key ids that have the issuer asked again and again | once in a cooldown, one attempt at a time, only for tokens that could be the issuer's | `remote_keys/refresh.rs`, `verifier/pipeline.rs` |
//! | a token that has us fetch an address of its choice | addresses come from the configuration and from the metadata of exactly the configured issuer, https only, no redirects | `remote_keys/discovery.rs`, `url.rs` |
//! | a key document that never ends, or never comes | limits on size, keys and time; the old keys serve meanwhile | `remote_keys/source.rs`, `remote_keys/refresh.rs` |
//! | a tenant that imitates another by its name | the name is plain text of bounded length between the fixed parts of the template | `policy/tenants.rs` |
//! | a key of one tenant that signs for another, where tenants share a key document | a key that says whose it is signs for no other | `policy/check.rs` |
//! | a stolen token used before it expires | it can be revoked, by its id, session or client, or with all of the issuer; asked at every request where there is a list | `revocation/`, `verifier/pipeline.rs` |
//! | a client that chooses ids to make the list slow, or has a good token taken for a revoked one | ids are spread by a hash with a random key and compared as they are | `revocation/ids.rs` |
//! | a refresh token that was copied | each is good once; the second use of an old one ends the family and its access tokens | `issue/rotation.rs`, `issue/refresh.rs` |
//! | a forged refresh token, or one that is changed | it carries an HMAC, which is checked before the store is asked | `issue/refresh_token.rs` |
//! | guessing secrets, or locking an application out by it | throttled by application and source, before anything is hashed or looked up | `issue/throttle/` |
//! | finding out which applications exist | the same bytes and the same work for all that can be wrong | `issue/authenticate.rs` |
//! | a stolen store or backup | no token, secret or private key is in it: tags under keys that are elsewhere, slow hashes, sealed keys | `issue/secret.rs`, `issue/signing.rs` |
//! | rows that are swapped in the store | tags and seals are bound to their row | `issue/secret.rs`, `issue/signing.rs` |
//! | a power loss or a crash amid a rotation | it is on disk before it is answered, in one conditional write | `issue/refresh.rs`, `store/sqlite/` |
//! | filling memory with slow hashes | four at a time, and a bounded number waits | `issue/hashing.rs` |
//! | an outage of the key source | 503, never a pass and never 401 | `verifier/pipeline.rs`, `remote_keys/refresh.rs` |
//!
//! Not answered here: replay of a bearer token within its life (anybody who holds it can use it, so
//! keep lives short and TLS on), revocation where no list is given or the list does not know yet,
//! somebody who can write to the store (who could put keys and hashes of their own there), and
//! whether the caller may touch this very object.
