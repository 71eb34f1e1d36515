//! The issuing side through its endpoints and its administration: frozen clock, store in memory.

mod applications;
mod at_rest;
mod config;
mod documents;
mod events;
mod given_up;
mod introspection;
mod oauth;
mod odd_texts;
mod outage;
mod product;
mod refresh;
mod revocation;
mod revocation_feed;
#[cfg(feature = "remote-keys")]
mod revocation_source;
mod shared_limits;
mod signing_keys;
mod throttle;
mod world;
