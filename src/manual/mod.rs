//! Documentation only: what attacks are answered where, what each default is and why, and how to do
//! common things.

pub mod defaults;
pub mod howto;
#[cfg(feature = "reqwest")]
pub mod providers;
pub mod threat_model;
