/// How deep arrays and objects may nest.
const DEPTH: usize = 32;
/// How many members all objects together may have.
const MEMBERS: usize = 256;

/// Whether a JSON text keeps within the bounds on nesting and members, so that reading it takes
/// bounded stack and work. The text need not be well-formed.
pub(crate) fn within_limits(json: &[u8]) -> bool {
    Budget::default().spend_outside_strings(json)
}

/// What is left of the bounds while an object is read piece by piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    depth: usize,
    members: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { depth: DEPTH, members: MEMBERS }
    }
}

impl Budget {
    /// The budget for the values of an object.
    pub(super) fn inside(self) -> Self {
        Self { depth: self.depth - 1, ..self }
    }

    /// Takes one member; `false` if there is none left.
    #[inline]
    pub(super) fn member(&mut self) -> bool {
        let left = self.members.checked_sub(1);
        self.members = left.unwrap_or_default();
        left.is_some()
    }

    /// Takes what a well-formed value needs, and no more, as others come after it; `false` if it
    /// needs more than there is.
    pub(super) fn spend(&mut self, json: &[u8]) -> bool {
        // Without an object there are no members: every colon is in a string.
        let is_array = memchr::memchr(b'{', json).is_none()
            && memchr::memchr_iter(b'[', json).count() <= self.depth;
        is_array || self.spend_outside_strings(json)
    }

    fn spend_outside_strings(&mut self, json: &[u8]) -> bool {
        let (mut depth, mut members) = (0_usize, 0_usize);
        let (mut in_string, mut escaped) = (false, false);
        for byte in json {
            match (in_string, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => in_string = !in_string,
                (false, b'{' | b'[') => depth += 1,
                (false, b'}' | b']') => depth = depth.saturating_sub(1),
                (false, b':') => members += 1,
                _ => {}
            }
            if depth > self.depth || members > self.members {
                return false;
            }
        }
        self.members -= members;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_and_members_are_bounded_but_strings_do_not_count() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(within_limits(&nested(DEPTH)));
        assert!(!within_limits(&nested(DEPTH + 1)));

        let members = |count: usize| "\"a\":1,".repeat(count).into_bytes();
        assert!(within_limits(&members(MEMBERS)));
        assert!(!within_limits(&members(MEMBERS + 1)));

        assert!(within_limits(format!("{{\"a\":\"{}\"}}", "[:\\\"".repeat(300)).as_bytes()));
        assert!(within_limits("[],".repeat(300).as_bytes()));
    }
}
