//! JSON, read strictly: objects without repeated members, within bounds on nesting and members.

mod limits;
mod names;
mod object;
mod string;

pub(crate) use self::{
    limits::within_limits,
    names::Names,
    object::{Members, Taken, Unique},
    string::StringSeed,
};
