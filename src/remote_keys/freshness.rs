use std::{ops::RangeInclusive, time::Duration};

use http::{
    HeaderMap, HeaderName,
    header::{AGE, CACHE_CONTROL, DATE, EXPIRES},
};

/// The least and the most that an answer may say of its own freshness, in seconds.
const SECONDS: RangeInclusive<u64> = 60..=24 * 60 * 60;

/// How long an answer is fresh (RFC 9111 section 4.2.1): by `max-age`, else by `Expires` and `Date`,
/// less its `Age`; `otherwise` if it does not say. Within a minute and a day, whatever it says.
///
/// As a private cache does, `s-maxage` is ignored; `no-store` and `no-cache` mean the least.
pub(super) fn fresh_for(headers: &HeaderMap, otherwise: Duration) -> Duration {
    let directives = directives(headers);
    let lifetime = if directives.is_forbidden {
        Some(0)
    } else {
        directives.max_age.or_else(|| expiry(headers))
    };
    let seconds = match lifetime {
        Some(lifetime) => lifetime.saturating_sub(number(headers, AGE).unwrap_or_default()),
        None => otherwise.as_secs(),
    };
    Duration::from_secs(seconds.clamp(*SECONDS.start(), *SECONDS.end()))
}

/// What `Cache-Control` says.
#[derive(Default)]
struct Directives {
    max_age: Option<u64>,
    is_forbidden: bool,
}

fn directives(headers: &HeaderMap) -> Directives {
    let mut found = Directives::default();
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    for directive in lines.flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => found.is_forbidden = true,
            // Of several the least counts (RFC 9111 section 4.2.1), what is no number is stale, and
            // one that is too large is large (section 1.2.2).
            "max-age" => {
                let digits = value.trim().trim_matches('"');
                let is_number =
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let seconds = digits.parse().unwrap_or(if is_number { u64::MAX } else { 0 });
                found.max_age = Some(found.max_age.map_or(seconds, |least| seconds.min(least)));
            }
            _ => {}
        }
    }
    found
}

/// `Expires` less `Date`. A date that cannot be read is in the past (RFC 9111 section 5.3).
fn expiry(headers: &HeaderMap) -> Option<u64> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    headers.get(EXPIRES)?;
    let lifetime = date(EXPIRES).zip(date(DATE)).map(|(end, start)| end.duration_since(start));
    Some(lifetime.and_then(Result::ok).map_or(0, |lifetime| lifetime.as_secs()))
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn freshness_is_what_the_answer_says_within_bounds() {
        const DAY: u64 = 86_400;
        for (lines, seconds) in [
            (&[][..], 300),
            (&["cache-control: max-age=3600"], 3600),
            (&["cache-control: public, MAX-AGE = \"600\" , must-revalidate"], 600),
            (&["cache-control: max-age=3600", "age: 3500"], 100),
            (&["cache-control: max-age=3600", "age: 3600"], 60),
            (&["cache-control: max-age=1"], 60),
            (&["cache-control: max-age=99999999"], DAY),
            (&["cache-control: max-age=99999999999999999999999"], DAY),
            (&["cache-control: max-age=soon"], 60),
            (&["cache-control: max-age"], 60),
            (&["cache-control: max-age=600", "cache-control: max-age=900"], 600),
            (&["cache-control: s-maxage=9000"], 300),
            (&["cache-control: s-maxage=9000, max-age=600"], 600),
            (&["cache-control: max-age=600, no-store"], 60),
            (&["cache-control: no-cache"], 60),
            (
                &["expires: Thu, 01 Jan 2026 01:00:00 GMT", "date: Thu, 01 Jan 2026 00:00:00 GMT"],
                3600,
            ),
            (
                &[
                    "expires: Thu, 01 Jan 2026 01:00:00 GMT",
                    "date: Thu, 01 Jan 2026 00:00:00 GMT",
                    "age: 600",
                ],
                3000,
            ),
            (&["expires: 0", "date: Thu, 01 Jan 2026 00:00:00 GMT"], 60),
            (&["expires: Thu, 01 Jan 2026 01:00:00 GMT"], 60),
            (&["expires: Thu, 01 Jan 2026 01:00:00 GMT", "cache-control: max-age=120"], 120),
            (&["age: 200"], 300),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let (name, value) = line.split_once(": ").unwrap();
                let name: HeaderName = name.parse().unwrap();
                headers.append(name, HeaderValue::from_static(value));
            }
            let fresh = fresh_for(&headers, Duration::from_secs(300));
            assert_eq!(fresh.as_secs(), seconds, "{lines:?}");
        }
    }
}
