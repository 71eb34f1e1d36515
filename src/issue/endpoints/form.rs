//! `application/x-www-form-urlencoded`, read strictly (RFC 6749 appendix B).

use zeroize::Zeroizing;

/// The parameters of a form that are known here. An empty value counts as none, an unknown
/// parameter is ignored (RFC 6749 section 3.2).
#[derive(Default)]
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

/// The body is no form, or a parameter stands in it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The only parameter that may stand several times (RFC 8707 section 2).
const RESOURCE: &str = "resource";

impl Form {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or(Malformed)?;
            let value = Zeroizing::new(decode(value).ok_or(Malformed)?);
            if name != RESOURCE && parameters.iter().any(|(known, _)| *known == name) {
                return Err(Malformed);
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there, with a value or without.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

/// A name or value, decoded: `+` is a space, `%` stands before two hexadecimal digits, and the
/// bytes are UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6749 appendix B.
    #[test]
    fn the_example_of_rfc_6749_is_decoded() {
        assert_eq!(decode("+%25%26%2B%C2%A3%E2%82%AC").as_deref(), Some(" %&+£€"));
        for odd in ["%", "%2", "%zz", "%ff", "a%+1", "%é1"] {
            assert_eq!(decode(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_resource_may_stand_twice_and_nothing_is_nothing() {
        let form = Form::parse("a=1&&resource=x&b=&resource=y&c").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c"), form.get("d")),
            (Some("1"), None, None, None)
        );
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert!(form.has("b") && form.has("c") && !form.has("d"));
        for twice in ["a=1&a=1", "a=1&%61=2", "a&a=1"] {
            assert_eq!(Form::parse(twice).err(), Some(Malformed), "{twice}");
        }
    }
}
