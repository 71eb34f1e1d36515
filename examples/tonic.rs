//! A gRPC service with tonic: `cargo run --example tonic`
//!
//! `AuthLayer` stands around the whole server and answers with gRPC statuses. `RequireScope` stands
//! around one service, by tonic's `named_layer`, which keeps the name of the service. A method
//! checks a scope that depends on the message. The service is the ready-made health service, so
//! that no `.proto` file has to be compiled.
//!
//! Calls itself over loopback and prints what a client gets.

use tonic::{
    Request, Response, Status,
    codegen::BoxStream,
    metadata::MetadataMap,
    service::LayerExt,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::{
    pb::{
        HealthCheckRequest, HealthCheckResponse,
        health_client::HealthClient,
        health_server::{Health, HealthServer},
    },
    server::{HealthReporter, HealthService},
};
use tower_bearer::{
    AuthError, AuthLayer, BoxError, Grant, RequireScope,
    auth::GrpcStatus,
    scope,
    scope::{Requirement, ScopeToken},
    test_util::TestIssuer,
};

struct GuardedHealth(HealthService);

#[tonic::async_trait]
impl Health for GuardedHealth {
    type WatchStream = BoxStream<HealthCheckResponse>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        may_check(&request).map_err(|error| status(&error))?;
        self.0.check(request).await
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("ask again with check"))
    }
}

/// The health of one service needs a scope of its own, that of the whole server none.
fn may_check(request: &Request<HealthCheckRequest>) -> Result<(), AuthError> {
    let requirement = match request.get_ref().service.as_str() {
        "" => Requirement::authenticated(),
        name => ScopeToken::new(format!("health:{name}"))
            .map_or_else(|_| Requirement::deny(), Into::into),
    };
    Grant::of(request.extensions())?.require(&requirement)
}

/// Code, message and metadata, the same as those of the layers.
fn status(error: &AuthError) -> Status {
    let refusal = error.grpc();
    let mut metadata = MetadataMap::new();
    for (name, value) in refusal.metadata() {
        if let Ok(value) = value.parse() {
            metadata.insert(name, value);
        }
    }
    Status::with_metadata(refusal.code().into(), refusal.message(), metadata)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let issuer = TestIssuer::new();
    let auth = AuthLayer::builder(issuer.verifier()).respond_with(GrpcStatus).build()?;
    let health = HealthService::from_health_reporter(HealthReporter::new());
    let health = HealthServer::new(GuardedHealth(health));
    let health = RequireScope::all([scope!("health:read")]).named_layer(health);

    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let url = format!("http://{}", incoming.local_addr()?);
    let server = Server::builder().layer(auth).add_service(health).serve_with_incoming(incoming);
    tokio::spawn(server);

    let client = HealthClient::new(Channel::from_shared(url)?.connect().await?);
    let (token, scope) = (issuer.token(), "health:read");
    for (who, service, token) in [
        ("no token", "", None),
        ("expired", "", Some(token.clone().expired())),
        ("without health:read", "", Some(token.clone())),
        ("health:read", "", Some(token.clone().scope(scope))),
        ("health:read", "reports", Some(token.scope(scope))),
    ] {
        let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
        if let Some(token) = token {
            let bearer = format!("Bearer {}", token.sign()).parse()?;
            request.metadata_mut().insert("authorization", bearer);
        }
        let answer = match client.clone().check(request).await {
            Ok(response) => format!("serving: {}", response.get_ref().status == 1),
            Err(status) => {
                let needed = status.metadata().get("auth-scope");
                format!("{:?}, {:?}, auth-scope {needed:?}", status.code(), status.message())
            }
        };
        println!("check({service:?}) with {who}: {answer}");
    }
    Ok(())
}
