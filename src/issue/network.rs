use std::{fmt, net::IpAddr, str::FromStr};

use crate::error::ConfigError;

/// A range of addresses, such as `10.0.0.0/8`; an address alone is a network of one.
///
/// ```
/// use tower_bearer::issue::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse().unwrap()));
/// assert!("10.1.2.3/8".parse::<Network>().is_err());
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether the address is in the network. An IPv4 address that is mapped into IPv6 is one of
    /// IPv4 (RFC 4291 section 2.5.5.2).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = left_aligned(self.first) ^ left_aligned(address);
        self.first.is_ipv4() == address.is_ipv4() && differing.leading_zeros() >= self.prefix
    }

    /// `None` if this is no network, or one of every address: whoever trusted that would believe
    /// anybody. An address that is not the first of the network is a mistake as well, since it may
    /// be meant alone.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(parse_prefix(prefix)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = width(address);
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return None;
        }
        let first = address.to_canonical();
        let prefix = prefix.checked_sub(width - self::width(first))?;
        let host = left_aligned(first).checked_shl(prefix).unwrap_or(0);
        (prefix > 0 && host == 0).then_some(Self { first, prefix })
    }
}

impl FromStr for Network {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| ConfigError::InvalidNetwork { value: text.into() })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// Digits and nothing else, which is less than a number may be.
fn parse_prefix(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// How many bits an address of this kind has.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of the address from the highest down, whatever its width.
fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn contains(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix_and_no_others() {
        assert!(contains("10.0.0.0/8", "10.0.0.0"));
        assert!(contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("192.168.4.0/22", "192.168.7.255"));
        assert!(!contains("192.168.4.0/22", "192.168.8.0"));
        assert!(contains("128.0.0.0/1", "255.255.255.255"));
        assert!(!contains("128.0.0.0/1", "127.255.255.255"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("fd00::1/128", "fd00::1"));
        assert!(!contains("fd00::1/128", "fd00::2"));
    }

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(network("10.1.2.3"), network("10.1.2.3/32"));
        assert_eq!(network("fd00::1"), network("fd00::1/128"));
        assert_eq!(network("10.1.2.3").to_string(), "10.1.2.3/32");
    }

    #[test]
    fn an_ipv4_address_inside_ipv6_is_one_of_ipv4() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
        assert_eq!(network("::ffff:10.1.2.3"), network("10.1.2.3"));
        assert!(!contains("::/1", "10.1.2.3"), "a network of IPv6 has no address of IPv4");
    }

    #[test]
    fn what_is_no_network_is_a_mistake_that_names_the_value() {
        let mistakes = [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/ 8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            " 10.0.0.0/8",
            "10.0.0.0/-1",
            "10.0.0.0/99999999999",
            "fd00::/129",
            "fd00",
            "[fd00::]/8",
            "fe80::1%eth0",
            "proxy.example.com",
            "::ffff:10.0.0.0/95",
        ];
        for text in mistakes {
            let expected = ConfigError::InvalidNetwork { value: text.to_owned() };
            assert_eq!(text.parse::<Network>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_network_of_every_address_or_with_another_first_address_is_a_mistake() {
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "10.1.2.3/8", "fd00::1/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let error = "10.1.2.3/8".parse::<Network>().unwrap_err();
        assert!(error.to_string().starts_with("\"10.1.2.3/8\" is no network"), "{error}");
    }
}
