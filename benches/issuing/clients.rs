//! The endpoints behind HTTP/1.1 on loopback, and clients that keep their connections.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::{client::conn::http1 as client, server::conn::http1 as server};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::{TcpListener, TcpStream};
use tower_bearer::issue::endpoints::Endpoints;

use crate::{
    process::mistyped,
    world::{Client, authenticate, from, refresh, refresh_token},
};

/// What a client asks all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Authenticate,
    Refresh,
    /// Something that is refused, from a source that has to wait.
    Guess,
}

/// Serves until the runtime ends.
pub(crate) async fn serve(endpoints: Endpoints) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("an option");
            let service = TowerToHyperService::new(endpoints.clone());
            let connection = server::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

/// One client on one connection, and a refresh token of another application, which no authentication here ends.
pub(crate) struct Connection {
    sender: client::SendRequest<Full<Bytes>>,
    client: Client,
    token: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, client: Client, other: &Client) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let (sender, connection) = client::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let mut new = Self { sender, client, token: String::new() };
        let (_, status, pair) = new.send(authenticate(other)).await;
        assert_eq!(status, StatusCode::OK);
        new.token = refresh_token(&pair);
        new
    }

    /// How long it takes from the request to the end of the answer; the status of the answer.
    pub(crate) async fn ask(&mut self, operation: Operation) -> (Duration, StatusCode) {
        let ask = match operation {
            Operation::Authenticate => authenticate(&self.client),
            Operation::Refresh => refresh(&self.token),
            Operation::Guess => from([192, 0, 2, 9].into(), authenticate(&mistyped(&self.client))),
        };
        let (time, status, body) = self.send(ask).await;
        if operation == Operation::Refresh && status == StatusCode::OK {
            self.token = refresh_token(&body);
        }
        (time, status)
    }

    async fn send(&mut self, ask: crate::world::Ask) -> (Duration, StatusCode, Bytes) {
        let start = Instant::now();
        self.sender.ready().await.expect("the connection is kept");
        let response = self.sender.send_request(ask).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (start.elapsed(), head.status, body)
    }
}
