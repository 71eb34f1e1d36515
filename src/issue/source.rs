#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use super::Network;
use crate::{event::IssuingEvent, token::RequestHead};

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// From this address.
    Address(IpAddr),
    /// Nobody says where from: throttled [with all of these](FindSource#unknown-sources).
    Unknown,
}

impl Source {
    /// What the source counts as: an IPv4 address, or the first address of an IPv6 /64, all of
    /// which one host may use (RFC 8981).
    pub(super) fn network(self) -> Option<IpAddr> {
        const HIGH_64: u128 = !(u64::MAX as u128);
        match self {
            Self::Address(address) => Some(match address.to_canonical() {
                IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & HIGH_64).into(),
                address => address,
            }),
            Self::Unknown => None,
        }
    }
}

/// The address, or `unknown`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Unknown => f.pad("unknown"),
        }
    }
}

/// Finds out where a request comes from, as guessing is [throttled](super::Throttle) by it.
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::ConnectInfo; // see `Router::into_make_service_with_connect_info`
/// use tower_bearer::{issue::FindSource, token::RequestHead};
///
/// let peer = |head: &RequestHead<'_>| {
///     head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
/// };
/// // The service is reached directly,
/// let find_source = FindSource::peer(peer);
/// // or through a reverse proxy somewhere in 10.0.0.0/8.
/// let find_source = FindSource::behind_proxies(["10.0.0.0/8".parse()?], peer);
/// # let _ = find_source;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
///
/// In plain hyper, whoever accepts a connection puts its address in each of its requests:
///
/// ```
/// use std::net::SocketAddr;
/// use http::Request;
/// use tower::{Service, ServiceBuilder};
/// use tower_bearer::{issue::{FindSource, endpoints::Endpoints}, token::RequestHead};
///
/// #[derive(Clone, Copy)]
/// struct Peer(SocketAddr);
///
/// let find_source = FindSource::peer(|head: &RequestHead<'_>| {
///     head.extensions().get::<Peer>().map(|peer| peer.0.ip())
/// });
/// # let _ = find_source;
///
/// /// The service of one connection; `address` is what `TcpListener::accept` returned with it.
/// fn of_connection<B>(endpoints: Endpoints, address: SocketAddr) -> impl Service<Request<B>>
/// where
///     Endpoints: Service<Request<B>>,
/// {
///     ServiceBuilder::new()
///         .map_request(move |mut request: Request<B>| {
///             request.extensions_mut().insert(Peer(address));
///             request
///         })
///         .service(endpoints)
/// }
/// # let _ = of_connection::<String>;
/// ```
///
/// # Unknown sources
///
/// Where none is found, as with an extension that nobody put there, the source is
/// [unknown](Source::Unknown). What is left is the limit of failures [from
/// everywhere](super::Throttle::with_global_failures): no application and source wait alone,
/// and no success lets anybody through when that limit is reached, so whoever guesses enough keeps
/// all others of unknown source from authenticating. A [`GuessLimiter`](super::GuessLimiter)
/// is asked as ever.
#[derive(Clone)]
#[must_use]
pub struct FindSource {
    /// Who is at the other end of the connection; nobody asks if there is none.
    peer: Option<Arc<Peer>>,
    proxies: Arc<[Network]>,
}

type Peer = dyn Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync;

impl FindSource {
    /// The peer of the connection. No header field is believed.
    pub fn peer(peer: impl Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self::behind_proxies([], peer)
    }

    /// What proxies in these networks say in `X-Forwarded-For`, to which each must append its own
    /// peer. The field is believed only if the peer of the connection is such a proxy.
    pub fn behind_proxies(
        proxies: impl IntoIterator<Item = Network>,
        peer: impl Fn(&RequestHead<'_>) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self { peer: Some(Arc::new(peer)), proxies: proxies.into_iter().collect() }
    }

    /// Nobody asks: every source is [unknown](#unknown-sources). Guessing is then throttled for all
    /// together, and whoever guesses enough keeps everybody from authenticating.
    pub fn unknown() -> Self {
        Self { peer: None, proxies: Arc::default() }
    }

    /// Where the request comes from.
    pub(crate) fn find(&self, head: &RequestHead<'_>) -> Source {
        let peer = self.peer.as_ref().and_then(|peer| peer(head));
        peer.map_or(Source::Unknown, |peer| Source::Address(self.client(head, peer.to_canonical())))
    }

    /// The nearest hop that is no proxy of ours. What stands to the left of it could be written by
    /// anybody.
    fn client(&self, head: &RequestHead<'_>, peer: IpAddr) -> IpAddr {
        let lines = head.headers().get_all(X_FORWARDED_FOR).iter();
        let hops = lines.rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut hops = hops.map(parse_hop);
        let mut nearest = peer;
        while self.is_proxy(nearest) {
            // A proxy that names no address stands for whoever is behind it.
            let Some(Some(hop)) = hops.next() else { break };
            nearest = hop;
        }
        nearest
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }
}

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// An address with or without port; one of IPv6 may have brackets.
fn parse_hop(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())),
    };
    address.map(|address| address.to_canonical())
}

impl fmt::Debug for FindSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindSource")
            .field("asks_peer", &self.peer.is_some())
            .field("proxies", &self.proxies)
            .finish()
    }
}

impl IssuingEvent {
    pub(super) fn of(mut self, application: &str) -> Self {
        self.application = Some(application.into());
        self
    }

    pub(super) fn from(mut self, source: Source) -> Self {
        self.source = match source {
            Source::Address(address) => Some(address),
            Source::Unknown => None,
        };
        self
    }
}
