//! Documentation only: what attacks are answered where, what each default is and why, and how to do
//! common things.

pub mod defaults;
pub mod howto;
pub mod threat_model;
