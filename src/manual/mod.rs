//! Documentation only: what attacks are answered where, what each default is and why, how to do
//! common things, and how to run the issuing side.

pub mod defaults;
pub mod howto;
#[cfg(feature = "sqlite")]
pub mod issuing;
#[cfg(feature = "reqwest")]
pub mod providers;
pub mod threat_model;
