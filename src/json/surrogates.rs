/// Whether every escaped surrogate is one half of a pair: a lone one is no character, and readers
/// differ about it (RFC 8259 section 8.2). `serde_json` sees only those in strings that somebody
/// wants. The text need not be well-formed.
pub(crate) fn surrogates_are_paired(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        rest = &rest[at..];
        let used = match (code_unit(rest), rest.get(6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => return false,
            // The backslash and what it escapes.
            _ => 2,
        };
        rest = rest.get(used..).unwrap_or_default();
    }
    true
}

/// The UTF-16 code unit of an escape such as `\u00e9` that the text starts with.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_found() {
        for sound in
            [r"", r"\ud83d\ude00", r"\\ud800", r"\\\\udc00", r"\n\u00e9\", r"\u12", r"\uD7FF\uE000"]
        {
            assert!(surrogates_are_paired(sound.as_bytes()), "{sound}");
        }
        for lone in [
            r"\ud800",
            r"\\\ud800",
            r"\udfff",
            r"\ud83d\ud83d\ude00",
            r"\ud83dx\ude00",
            r"\uDBFF\u",
        ] {
            assert!(!surrogates_are_paired(lone.as_bytes()), "{lone}");
        }
    }
}
