//! Scopes (RFC 6749 section 3.3): the values, where tokens say them, the guards that demand them,
//! and their algebra against naive models.

mod claims;
mod guards;
mod model;
mod values;
