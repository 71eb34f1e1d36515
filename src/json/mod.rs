//! JSON, read strictly: objects without repeated members, within bounds on nesting and members.

mod limits;
mod name;
mod names;
mod object;
mod repeats;
mod scan;
mod string;
mod surrogates;
mod value;

pub(crate) use self::{
    limits::within_limits,
    name::Name,
    names::Names,
    object::{Members, Taken, Unique},
    repeats::members_are_unique,
    scan::{Malformed, Plain, Scanner, Value},
    string::StringSeed,
    surrogates::surrogates_are_paired,
};
