//! A fast way through the members of one object: names and values of the plainest forms are read
//! here, all others by `serde_json`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{limits::Budget, repeats::members_are_unique, surrogates::surrogates_are_paired};

/// Goes through the members of one JSON object and validates what it passes: its form, its escapes,
/// the bounds on nesting and members, and that inside its values no member stands twice.
pub(crate) struct Scanner<'de> {
    text: &'de str,
    at: usize,
    place: Place,
    budget: Budget,
}

/// Where a scanner stands in its object.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    Inside,
    End,
}

/// The text is no well-formed JSON object.
#[derive(Debug)]
pub(crate) struct Malformed;

/// A value: its text, and what it is if that is plain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value<'de> {
    /// The text, well-formed JSON without space around it.
    pub(crate) raw: &'de str,
    pub(crate) plain: Plain<'de>,
}

/// The plain forms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plain<'de> {
    /// A string without escapes.
    Text(&'de str),
    /// A number of at most 18 digits without sign, fraction and exponent.
    Natural(u64),
    /// Anything else.
    No,
}

impl Value<'_> {
    /// The value `null`.
    pub(crate) const NULL: Self = Self { raw: "null", plain: Plain::No };
}

impl<'de> Scanner<'de> {
    /// Starts at a text that begins with an object.
    pub(crate) fn open(text: &'de str) -> Result<Self, Malformed> {
        let mut scanner =
            Self { text, at: 0, place: Place::Start, budget: Budget::default().inside() };
        scanner.expect(b'{')?;
        Ok(scanner)
    }

    /// The name of the next member, or nothing at the end of the object and ever after.
    #[inline(always)]
    pub(crate) fn name(&mut self) -> Result<Option<Cow<'de, str>>, Malformed> {
        match (self.place, self.peek()) {
            (Place::End, _) => return Ok(None),
            (_, Some(b'}')) => {
                self.at += 1;
                self.place = Place::End;
                return Ok(None);
            }
            (Place::Inside, Some(b',')) => self.at += 1,
            (Place::Inside, _) => return Err(Malformed),
            (Place::Start, _) => self.place = Place::Inside,
        }
        if self.peek() != Some(b'"') || !self.budget.member() {
            return Err(Malformed);
        }
        let name = match self.plain_string() {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.foreign()?),
        };
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// The value of the member whose name was read last.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value<'de>, Malformed> {
        let first = self.peek();
        let start = self.at;
        let plain = match first {
            Some(b'"') => self.plain_string().map(Plain::Text),
            Some(b'0'..=b'9') => self.natural().map(Plain::Natural),
            _ => None,
        };
        match plain {
            Some(plain) => {
                Ok(Value { raw: self.text.get(start..self.at).ok_or(Malformed)?, plain })
            }
            None => {
                let raw: &'de RawValue = self.foreign()?;
                let raw = raw.get();
                let is_sound = self.budget.spend(raw.as_bytes())
                    && surrogates_are_paired(raw.as_bytes())
                    && members_are_unique(raw);
                if is_sound { Ok(Value { raw, plain: Plain::No }) } else { Err(Malformed) }
            }
        }
    }

    /// Makes sure that nothing but space comes after the object.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// The next byte that is no space (RFC 8259 section 2).
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
        None
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a string that is its own content, or stays where it is.
    #[inline]
    fn plain_string(&mut self) -> Option<&'de str> {
        let start = self.at + 1;
        let end = start + plain_len(self.text.as_bytes().get(start..)?);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// Reads a number of digits only, or stays where it is.
    #[inline]
    fn natural(&mut self) -> Option<u64> {
        const MOST_DIGITS: usize = 18;
        let rest = self.text.as_bytes().get(self.at..)?;
        let (mut digits, mut number) = (0, 0_u64);
        while let Some(digit @ b'0'..=b'9') = rest.get(digits) {
            // Beyond the most digits it is not used.
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            digits += 1;
        }
        let is_plain = digits <= MOST_DIGITS
            && !matches!(rest.get(digits), Some(b'.' | b'e' | b'E'))
            && (digits == 1 || rest.first() != Some(&b'0'));
        if !is_plain {
            return None;
        }
        self.at += digits;
        Some(number)
    }

    /// Has `serde_json` read one value.
    #[cold]
    fn foreign<T: serde::Deserialize<'de>>(&mut self) -> Result<T, Malformed> {
        let rest = self.text.get(self.at..).ok_or(Malformed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().and_then(Result::ok).ok_or(Malformed)?;
        self.at += values.byte_offset();
        Ok(value)
    }
}

/// How many bytes stand before the first quotation mark, backslash or control character.
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        match first_special(u64::from_le_bytes(*chunk)) {
            Some(position) => return at + position,
            None => at += 8,
        }
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')).count()
}

/// The position of the first special byte among eight, the lowest byte first.
///
/// Each test sets the high bit of the ASCII bytes that it looks for, as they are below its limit. It
/// may also set that of a byte *above* one that it found, which is why only the first counts.
#[inline]
fn first_special(chunk: u64) -> Option<usize> {
    const EACH: u64 = u64::MAX / 0xff;
    const HIGH: u64 = EACH * 0x80;
    let below = |limit: u8, value: u64| value.wrapping_sub(EACH * u64::from(limit));
    let equal = |byte: u8| below(1, chunk ^ (EACH * u64::from(byte)));
    let special = (below(b' ', chunk) | equal(b'"') | equal(b'\\')) & !chunk & HIGH;
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All members, or nothing if the text is malformed.
    fn members(text: &str) -> Option<Vec<(String, String)>> {
        let mut scanner = Scanner::open(text).ok()?;
        let mut members = Vec::new();
        while let Some(name) = scanner.name().ok()? {
            members.push((name.into_owned(), scanner.value().ok()?.raw.to_owned()));
        }
        scanner.end().ok()?;
        Some(members)
    }

    #[test]
    fn it_reads_what_serde_json_reads_and_nothing_else() {
        let values = [
            r#""""#,
            r#""plain""#,
            r#""eight by""#,
            r#""a longer text, \"quoted\" \\ \u00e9""#,
            "\"\u{e9}\u{1f600}\"",
            "\"tab\t\"",
            "\"\u{1}\"",
            r#""\x""#,
            r#""open"#,
            "0",
            "7",
            "00",
            "01",
            "-1",
            "1.5",
            "1e3",
            "1e400",
            "1.",
            ".5",
            "123456789012345678",
            "1234567890123456789",
            "99999999999999999999",
            "true",
            "nul",
            "null",
            "[]",
            "[1,]",
            r#"[{"a":[1,"]"]}]"#,
            "{}",
            r#"{"b":}"#,
            "",
            " ",
            "1 2",
            r#""a" "b""#,
            "+1",
            "NaN",
            "'a'",
            "/**/1",
        ];
        let frames = [
            "{\"a\":@}",
            " { \"a\" : @ , \"b\":1 }\n",
            "{\"a\":1,\"long name of a member\":@,\"c\":2}",
            "{\"a\":@,}",
            "{,\"a\":@}",
            "{\"a\"@}",
            "{\"\\u0061\":@}",
            "[{\"a\":@}]",
            "{\"a\":@}x",
            "{\"a\":@",
            "\u{feff}{\"a\":@}",
            "{a:@}",
            "{\"a\":@ \"b\":1}",
            "{\"a\n\":@}",
        ];
        for (frame, value) in frames.iter().flat_map(|frame| values.map(|value| (frame, value))) {
            let text = frame.replace('@', value);
            let theirs: Option<serde_json::Map<_, _>> = serde_json::from_str(&text).ok();
            // Out of range is no matter of form: whoever wants the number finds out.
            if value.contains("1e400") {
                continue;
            }
            let ours = members(&text);
            assert_eq!(ours.is_some(), theirs.is_some(), "{text}");
            for (name, raw) in ours.into_iter().flatten() {
                let value: serde_json::Value = serde_json::from_str(&raw).unwrap();
                assert_eq!(theirs.as_ref().unwrap()[&name], value, "{text}");
            }
        }
    }

    #[test]
    fn every_special_byte_is_found_wherever_it_stands() {
        for len in 0..40 {
            for at in 0..len {
                for special in (0..b' ').chain([b'"', b'\\']) {
                    let mut bytes = vec![0xe9; len];
                    bytes[at] = special;
                    assert_eq!(plain_len(&bytes), at);
                }
            }
            assert_eq!(plain_len(&vec![b'!'; len]), len);
        }
    }
}
