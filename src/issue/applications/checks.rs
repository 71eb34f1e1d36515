//! Values that cannot be used.

use std::time::Duration;

use super::AdminError;
use crate::issue::{secret::Presented, server::MAX_ACCESS_LIFETIME};

/// The least characters of a chosen secret (NIST SP 800-63B: 15).
const MIN_CHOSEN: usize = 15;
/// The most bytes of a chosen secret.
pub(in crate::issue) const MAX_SECRET: usize = 512;

/// 1 to 128 bytes without control characters.
pub(in crate::issue) fn is_label(value: &str) -> bool {
    (1..=128).contains(&value.len()) && !value.chars().any(char::is_control)
}

pub(in crate::issue) fn label(name: &'static str, value: &str) -> Result<(), AdminError> {
    if is_label(value) {
        return Ok(());
    }
    let remedy = "use 1 to 128 bytes without control characters";
    Err(AdminError::Invalid { name, value: value.to_owned(), remedy })
}

/// Some databases refuse U+0000 in a text, which is no outage.
pub(super) fn no_control(name: &'static str, value: &str) -> Result<(), AdminError> {
    if !value.chars().any(char::is_control) {
        return Ok(());
    }
    let remedy = "use a client id, which has no control characters";
    Err(AdminError::Invalid { name, value: value.to_owned(), remedy })
}

pub(in crate::issue) fn lifetime(given: Option<Duration>) -> Result<(), AdminError> {
    match given {
        Some(time)
            if time.subsec_nanos() > 0
                || !(30..=MAX_ACCESS_LIFETIME.as_secs()).contains(&time.as_secs()) =>
        {
            Err(AdminError::Invalid {
                name: "access lifetime",
                value: format!("{} s", time.as_secs_f64()),
                remedy: "use 30 s to one hour, in whole seconds",
            })
        }
        _ => Ok(()),
    }
}

pub(super) fn chosen(secret: &str) -> Result<(), AdminError> {
    let remedy = if secret.len() < MIN_CHOSEN || secret.len() > MAX_SECRET {
        "use 15 to 512 characters"
    } else if !secret.bytes().all(|byte| (0x20..=0x7E).contains(&byte)) {
        "use printable ASCII characters only (RFC 6749 appendix A.2)"
    } else if !matches!(Presented::of(secret), Presented::Chosen(_)) {
        "it looks like a generated one, whose shape says how it is compared"
    } else {
        return Ok(());
    };
    Err(AdminError::InvalidSecret { remedy })
}

/// One at least, each of 1 to 512 visible ASCII characters. Only those that are absolute URIs can
/// be asked for (RFC 8707 section 2).
pub(in crate::issue) fn audiences(given: &[String]) -> Result<(), AdminError> {
    let invalid = |value: &str, remedy| AdminError::Invalid {
        name: "audience",
        value: value.to_owned(),
        remedy,
    };
    let is_fit = |audience: &String| {
        (1..=512).contains(&audience.len()) && audience.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if given.is_empty() {
        return Err(invalid("", "name at least one service that its tokens are for"));
    }
    match given.iter().find(|audience| !is_fit(audience)) {
        Some(wrong) => {
            Err(invalid(wrong, "use 1 to 512 visible ASCII characters, best an absolute URI"))
        }
        None => Ok(()),
    }
}
