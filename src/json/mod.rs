//! JSON, read strictly: objects without repeated members, within bounds on nesting and members.

mod limits;
mod names;
mod object;
mod scan;
mod string;
mod surrogates;
mod value;

pub(crate) use self::{
    limits::within_limits,
    names::Names,
    object::{Members, Taken, Unique},
    scan::{Malformed, Plain, Scanner, Value},
    string::StringSeed,
    surrogates::surrogates_are_paired,
};
