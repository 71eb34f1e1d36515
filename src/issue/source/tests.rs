use http::Request;

use super::*;

/// A request from this peer, with these lines of `X-Forwarded-For`.
fn find(find_source: &FindSource, peer: &str, lines: &[&str]) -> Source {
    let mut request = Request::new(());
    if !peer.is_empty() {
        request.extensions_mut().insert(peer.parse::<IpAddr>().unwrap());
    }
    for line in lines {
        request.headers_mut().append(X_FORWARDED_FOR, line.parse().unwrap());
    }
    find_source.find(&RequestHead::of(&request))
}

fn extension(head: &RequestHead<'_>) -> Option<IpAddr> {
    head.extensions().get().copied()
}

fn proxied() -> FindSource {
    let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
    FindSource::behind_proxies(networks, extension)
}

fn from(address: &str) -> Source {
    Source::Address(address.parse().unwrap())
}

/// R-TRANS-17
#[test]
fn a_header_of_a_peer_that_is_no_proxy_is_ignored() {
    assert_eq!(find(&proxied(), "203.0.113.9", &["198.51.100.1"]), from("203.0.113.9"));
    assert_eq!(find(&proxied(), "2001:db8::9", &["10.0.0.1"]), from("2001:db8::9"));
    let direct = FindSource::peer(extension);
    assert_eq!(find(&direct, "10.0.0.1", &["198.51.100.1"]), from("10.0.0.1"));
}

#[test]
fn the_source_is_what_the_nearest_proxy_says() {
    assert_eq!(find(&proxied(), "10.0.0.1", &["198.51.100.1"]), from("198.51.100.1"));
    assert_eq!(find(&proxied(), "fd00::1", &["2001:db8::1"]), from("2001:db8::1"));
    assert_eq!(find(&proxied(), "::ffff:10.0.0.1", &["198.51.100.1"]), from("198.51.100.1"));
}

/// R-TRANS-17
#[test]
fn what_the_client_wrote_before_its_own_address_is_ignored() {
    let lines = ["192.0.2.66, 198.51.100.1"];
    assert_eq!(find(&proxied(), "10.0.0.1", &lines), from("198.51.100.1"));
    let lines = ["10.0.0.7, 198.51.100.1, 10.0.0.2"];
    assert_eq!(find(&proxied(), "10.0.0.1", &lines), from("198.51.100.1"));
}

#[test]
fn several_lines_are_read_as_one_from_the_right() {
    let lines = ["192.0.2.66", "198.51.100.1,10.0.0.3", "\t10.0.0.2 "];
    assert_eq!(find(&proxied(), "10.0.0.1", &lines), from("198.51.100.1"));
}

#[test]
fn a_request_of_a_proxy_itself_comes_from_the_farthest_one() {
    assert_eq!(find(&proxied(), "10.0.0.1", &[]), from("10.0.0.1"));
    assert_eq!(find(&proxied(), "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), from("10.0.0.3"));
}

#[test]
fn ports_brackets_and_mapped_addresses_are_understood() {
    let hops = [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:80", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("::1", "::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("[::ffff:198.51.100.1]:80", "198.51.100.1"),
    ];
    for (hop, address) in hops {
        assert_eq!(find(&proxied(), "10.0.0.1", &[hop]), from(address), "{hop}");
        // Behind a proxy it is skipped in every form.
        let lines = [&*format!("{hop}, [fd00::1]:80, 10.0.0.2:443")];
        assert_eq!(find(&proxied(), "10.0.0.1", &lines), from(address), "{hop}");
    }
}

#[test]
fn the_last_proxy_stands_for_a_hop_that_is_no_address() {
    let hops = [
        "",
        " ",
        "unknown",
        "_hidden",
        "198.51.100.1:",
        "198.51.100.1:65536",
        "198.51.100.1 80",
        "[198.51.100.1]",
        "[198.51.100.1]:80",
        "[2001:db8::1",
        "2001:db8::1]",
        "[]",
        "[2001:db8::1]80",
        "198.51.100",
        "198.51.100.1/32",
        "\"198.51.100.1\"",
        "for=198.51.100.1",
        "example.com",
    ];
    for hop in hops {
        assert_eq!(find(&proxied(), "10.0.0.1", &[hop]), from("10.0.0.1"), "{hop:?}");
        let lines = [&*format!("192.0.2.66, {hop}, 10.0.0.2")];
        assert_eq!(find(&proxied(), "10.0.0.1", &lines), from("10.0.0.2"), "{hop:?}");
    }
    let mut request = Request::new(());
    request.extensions_mut().insert(IpAddr::from([10, 0, 0, 1]));
    let line = http::HeaderValue::from_bytes(b"\xff").unwrap();
    request.headers_mut().append(X_FORWARDED_FOR, line);
    assert_eq!(proxied().find(&RequestHead::of(&request)), from("10.0.0.1"));
}

#[test]
fn without_a_peer_the_source_is_unknown() {
    assert_eq!(find(&proxied(), "", &["198.51.100.1"]), Source::Unknown);
    assert_eq!(find(&FindSource::peer(extension), "", &[]), Source::Unknown);
    assert_eq!(find(&FindSource::unknown(), "203.0.113.9", &[]), Source::Unknown);
}

#[test]
fn a_source_reads_as_its_address_or_as_unknown() {
    assert_eq!(from("2001:db8::1").to_string(), "2001:db8::1");
    assert_eq!(Source::Unknown.to_string(), "unknown");
}

#[test]
fn all_addresses_of_an_ipv6_64_count_as_one_and_those_of_ipv4_each() {
    let network = |address| from(address).network().unwrap().to_string();
    assert_eq!(network("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::");
    assert_eq!(network("203.0.113.9"), "203.0.113.9");
    assert_eq!(network("::ffff:203.0.113.9"), "203.0.113.9");
    assert_eq!(Source::Unknown.network(), None);
}

#[test]
fn debug_names_the_proxies() {
    let shown = format!("{:?}", proxied());
    assert!(shown.starts_with("FindSource { asks_peer: true, proxies: [Network"), "{shown}");
}
