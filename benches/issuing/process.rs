//! One caller after the other in this process, with a store in memory.

use std::{
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
};

use http::StatusCode;
use tokio::runtime::Runtime;
use tower_bearer::{issue::endpoints::Endpoints, store::Memory};

use crate::{
    bare,
    shared::{Contender, Options},
    world::{Ask, Client, World, answer, authenticate, from, refresh, refresh_token},
};

const GROUP: &str = "process";
const CHOSEN: &str = "a secret that a person chose";
/// It fails until it has to wait.
const GUESSER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// Fails unless the store is asked what it should be: above all, nothing for a token that is forged.
pub(crate) async fn access(options: &Options) {
    let World { endpoints, asked, clients, server: _server } = World::new(Memory::new(), 1).await;
    let mut endpoints = endpoints;
    let (_, pair) = answer(&mut endpoints, authenticate(&clients[0])).await;
    let token = refresh_token(&pair);
    let cases = [
        ("authenticateApplication", authenticate(&clients[0]), 200, [2, 1]),
        ("  secret mistyped", authenticate(&mistyped(&clients[0])), 401, [0, 0]),
        ("refreshApplicationToken", refresh(&token), 200, [2, 1]),
        ("  token forged", refresh(&forged(&token)), 401, [0, 0]),
    ];
    let mut lines = String::new();
    for (name, ask, status, expected) in cases {
        let before = asked.so_far();
        assert_eq!(answer(&mut endpoints, ask).await.0, status, "{name}");
        let after = asked.so_far();
        let [reads, writes] = [after[0] - before[0], after[1] - before[1]];
        assert_eq!([reads, writes], expected, "{name}");
        lines += &format!("  {name:<34} {reads:>9} reads {writes:>4} writes\n");
    }
    if options.shows("store") {
        print!("\nstore\n{lines}");
    }
}

/// Applications for each of the operations, one of which has a secret that somebody chose.
pub(crate) async fn world() -> World {
    let mut world = World::new(Memory::new(), 3).await;
    let applications = world.server.applications();
    let chosen = &mut world.clients[2];
    applications.add_chosen_secret(&chosen.id, "chosen", CHOSEN).await.expect("a secret");
    CHOSEN.clone_into(&mut chosen.secret);
    world
}

/// What is answered at once.
pub(crate) fn cheap(options: &Options, runtime: &Runtime, world: &World) {
    let client = world.clients[0].clone();
    let endpoints = world.endpoints.clone();
    let mut same = endpoints.clone();
    let (status, pair) = runtime.block_on(answer(&mut same, authenticate(&client)));
    assert_eq!(status, StatusCode::OK);
    let mut token = refresh_token(&pair);
    let false_token = forged(&token);
    let wrong = mistyped(&client);
    let refused = StatusCode::UNAUTHORIZED;
    let asked = world.clients[1].clone();
    options.compare(
        GROUP,
        0,
        vec![
            bare::signature(),
            Contender::new("refreshApplicationToken", move || {
                let (status, pair) = at_once(&mut same, refresh(&token));
                assert_eq!(status, StatusCode::OK);
                token = refresh_token(&pair);
            }),
            asks("  token forged", &endpoints, refused, move || {
                from(next_source(), refresh(&false_token))
            }),
            asks("authenticateApplication", &endpoints, StatusCode::OK, move || {
                authenticate(&asked)
            }),
            asks("  secret mistyped", &endpoints, refused, move || {
                from(next_source(), authenticate(&wrong))
            }),
            throttled(world, &client),
        ],
    );
}

/// What takes a slow hash.
pub(crate) fn dear(options: &Options, runtime: &Runtime, world: &World) {
    let (chosen, mut endpoints) = (world.clients[2].clone(), world.endpoints.clone());
    let handle = runtime.handle().clone();
    let argon = Contender::new("authenticateApplication, chosen", move || {
        let (status, _) = handle.block_on(answer(&mut endpoints, authenticate(&chosen)));
        assert_eq!(status, StatusCode::OK);
    });
    options.compare("process, chosen secrets (Argon2id)", 0, vec![bare::signature(), argon]);
}

fn asks(
    name: &str,
    endpoints: &Endpoints,
    expect: StatusCode,
    mut make: impl FnMut() -> Ask + 'static,
) -> Contender {
    let mut endpoints = endpoints.clone();
    Contender::new(name, move || assert_eq!(at_once(&mut endpoints, make()).0, expect))
}

/// The answer to a source that has to wait, now and then one more refusal among them.
fn throttled(world: &World, client: &Client) -> Contender {
    let (mut endpoints, wrong) = (world.endpoints.clone(), mistyped(client));
    let ask = move || from(GUESSER, authenticate(&wrong));
    let last = (0..100).map(|_| at_once(&mut endpoints, ask()).0).last();
    assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
    Contender::new("  throttled", move || {
        let (status, _) = at_once(&mut endpoints, ask());
        assert!(status.is_client_error(), "{status}");
    })
}

/// Another one each time, as one alone would soon be told to wait.
fn next_source() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(1 << 28);
    IpAddr::from(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes())
}

fn at_once(endpoints: &mut Endpoints, ask: Ask) -> (StatusCode, bytes::Bytes) {
    let answered = pin!(answer(endpoints, ask)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(answered) = answered else {
        panic!("a store in memory answers at once");
    };
    answered
}

/// The token with another last character but one, as the last one has bits that do not count.
pub(crate) fn forged(token: &str) -> String {
    changed(token, token.len() - 2)
}

/// The client with a secret whose checksum is wrong.
pub(crate) fn mistyped(client: &Client) -> Client {
    let secret = changed(&client.secret, client.secret.len() - 1);
    Client { secret, ..client.clone() }
}

fn changed(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}
