//! Each default and why it is so.
//!
//! | setting | default | bound | why |
//! |---|---|---|---|
//! | [leeway](crate::Issuer::leeway) | 60 s | 300 s | clocks differ by seconds; RFC 7519 section 4.1.4 allows a few minutes |
//! | [token size](crate::verifier::VerifierBuilder::max_token_len) | 8 KiB | 256 B to 64 KiB | what servers accept in a header |
//! | [token type](crate::policy::TokenType) | `at+jwt` with all claims of RFC 9068 | | kinds of JWT must not be confused (RFC 8725 section 3.11) |
//! | [algorithms](crate::Issuer::algorithms) | none | | RFC 8725 section 3.1 wants them listed |
//! | [audience](crate::Issuer::audience) | none | | no audience is an error, as a token for any service would do |
//! | [scope claim](crate::claims::ScopeClaim) | `scope`, one string | | RFC 8693 section 4.2 |
//! | [lifetime](crate::Issuer::max_lifetime) | unlimited | | what the issuer gives is its policy |
//! | realm | `api` | | RFC 6750 section 3 wants at least one parameter |
//! | body of a refusal | empty | | everything is in the challenge |
//! | `Retry-After` without keys | 5 s | | a short outage |
//! | nesting, members | 32, 256 | | bounded stack and work |
//! | key id | 256 bytes | | it is looked up, nothing else |
//! | key document | 256 KiB, 100 keys | | bounded work |
//! | freshness of fetched keys if HTTP does not say | 5 min | 60 s to 24 h | a withdrawn key should not serve long |
//! | attempts to fetch keys | one in 30 s | 5 s to 1 h | unknown key ids must not flood the issuer |
//! | fetched keys through an outage | 1 h | 24 h | long enough for people to act |
//! | one attempt to fetch keys | 5 s, 256 KiB | 1 s to 60 s | bounded waiting and work |
//! | requests that wait for keys | 1024 for each issuer | | bounded memory |
//! | verified tokens | not remembered | | who wants speed says so |
//! | remembered tokens, with the feature `cache` | 10 000 of at most 4 KiB, 32 MiB | 64 to 10 000 000, 64 KiB to 1 GiB | bounded memory |
//! | revoked tokens | not asked | | the list comes from the application; without it a token is good until it expires |
//! | RSA modulus, exponent | 2048 to 8192 bits, odd, 65537 and up | | RFC 7518 sections 3.3 and 8.6 |
//! | HMAC secret | length of the hash | | RFC 7518 section 3.2 |
//! | issued access tokens | 600 s | 30 s to 1 h | RFC 6750 section 5.3: one hour or less |
//! | refresh families | 15 days without use, 30 days | 1 min to 1 year | RFC 9700 section 4.14.2 |
//! | grace for the refresh token before | 10 s, in 3 generations in a row | 60 s | lost answers are common, and copies must be found |
//! | refresh families of one application | 100 | 1 to 10 000 | bounded rows |
//! | secrets of applications | 256 bits, 1 year, 2 at a time | 1 h to 10 years | overlap without outage |
//! | signing key | 90 days, published 24 h ahead | 5 min ahead | longer than anybody keeps the key document |
//! | guessing | see [`Throttle`](https://docs.rs/tower-bearer/latest/tower_bearer/issue/struct.Throttle.html) | | nobody is locked out from elsewhere |
//! | events | `tracing` | | where Tower services log |
