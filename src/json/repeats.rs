use std::borrow::Cow;

use super::names::Names;

/// Whether no object of a well-formed JSON text has a member twice, at whatever depth: readers
/// differ about which of the two counts (RFC 8259 section 4).
pub(crate) fn members_are_unique(json: &str) -> bool {
    if memchr::memchr(b'{', json.as_bytes()).is_none() {
        return true;
    }
    // One entry for each array and object that is open: the names of an object so far.
    let mut open: Vec<Option<Names<'_>>> = Vec::new();
    let mut name_is_next = false;
    let mut at = 0;
    while let Some(byte) = json.as_bytes().get(at) {
        match byte {
            b'{' => open.push(Some(Names::default())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let end = at + string_len(&json.as_bytes()[at..]);
                if name_is_next
                    && let Some(Some(names)) = open.last_mut()
                    && !json.get(at..end).and_then(text).is_some_and(|name| names.insert(&name))
                {
                    return false;
                }
                at = end - 1;
            }
            _ => {}
        }
        name_is_next = match byte {
            b'{' => true,
            b',' => matches!(open.last(), Some(Some(_))),
            b' ' | b'\n' | b'\t' | b'\r' => name_is_next,
            _ => false,
        };
        at += 1;
    }
    true
}

/// How many bytes the string at the start has, with both quotation marks.
fn string_len(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        // What the backslash escapes.
        at += 1;
    }
    json.len()
}

/// The text of a string.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.get(1..json.len() - 1) {
        Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => {
            Some(Cow::Borrowed(plain))
        }
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_found_at_every_depth_and_nowhere_else() {
        for unique in [
            "{}",
            "[1, 2, 2]",
            r#"["a", "a"]"#,
            r#"{"a": "a", "b": "a"}"#,
            r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}"#,
            r#"{"a": ["b", "b"], "b": 1}"#,
            r#"{"a\"": 1, "a": "\"a\": 1, \\", "a\\": 2, "{": 1, "}": 2, ",": 3, ":": 4}"#,
            r#"{"": 1, " ": 2, "\u00e9": 3, "e": 4}"#,
            "[]",
            "\"a\"",
            "1",
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(unique).is_ok(), "{unique}");
            assert!(members_are_unique(unique), "{unique}");
        }
        for repeated in [
            r#"{"a":1,"a":1}"#,
            r#"{ "a" : 1 , "b" : 2 , "a" : 3 }"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"":1,"":2}"#,
            r#"[[{"a":{"b":{"c":1,"c":2}}}]]"#,
            r#"{"a":[1,{"x":1}],"b":{},"a":1}"#,
            r#"{"a\"":1,"a\"":2}"#,
            "{\"\u{e9}\":1,\"\\u00e9\":2}",
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(repeated).is_ok(), "{repeated}");
            assert!(!members_are_unique(repeated), "{repeated}");
        }
        // The text need not be well-formed for this to end.
        for odd in ["\"", "{\"", "{\"a", "{\"\\", "}}]]{", "{\"a\"{,\"b"] {
            members_are_unique(odd);
        }
    }
}
