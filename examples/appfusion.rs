//! Applications get tokens and a service takes them: the whole story on one port.
//!
//! ```text
//! cargo run --example appfusion --features sqlite
//! ```
//!
//! Opens or creates an SQLite file with a key file beside it, creates a demo application on the
//! first start and prints its secret once, serves the endpoints and a protected service, and prints
//! `curl` commands to paste. `--help` lists the options. What happens is logged to stderr with
//! `RUST_LOG=tower_bearer=debug`.

use std::{
    error::Error,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use axum::{Router, extract::ConnectInfo, routing::get};
use tokio::net::TcpListener;
use tower_bearer::{
    Algorithm, AuthLayer, Authenticated, RequireScope, Verifier,
    issue::{
        AdminError, Application, Applications, AuthorizationServer, Cascade, FindSource,
        KeyFileError, NewApplication, RootKey, SecretInfo, ServerKeys, Store as _,
        endpoints::Endpoints,
    },
    scope,
    scope::ScopeSet,
    store::Sqlite,
    token::RequestHead,
};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

const HELP: &str = "\
Gives applications tokens, and serves /reports to those with the scope reports:read.

  --db FILE          the store: appfusion.db unless given; its keys are in FILE.key
  --alg ALG          what tokens are signed with: ES256 (default), HS256, RS256, EdDSA
  --listen ADDR:PORT 127.0.0.1:8080 unless given; port 0 takes a free one
  --new-secret       adds a secret to the demo application, and prints it; the older of two ends
  --help
";

/// The demo application, and the service that its tokens are for.
const APPLICATION: &str = "App1";
const API: &str = "https://api.example.com";

type Problem = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("appfusion: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Problem> {
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return Ok(());
    }
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env()?)
        .with_writer(std::io::stderr)
        .init();

    let options = Options::parse(arguments)?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);

    let store = Sqlite::open(&options.db).await?;
    let is_new = store.signing_keys().await?.is_empty();
    let server = AuthorizationServer::builder(store)
        .issuer(&url)
        .keys(ServerKeys::new(&root_key(options.key_file(), is_new)?))
        .algorithm(options.algorithm)
        .open()
        .await?;
    let secret = demo_secret(&server, options.new_secret).await?;

    print!("listening on {url}, end with Ctrl-C\n\n{}", story(&url, secret.as_deref()));
    std::io::stdout().flush()?;
    {
        let server = server.clone();
        tokio::spawn(async move { server.run().await });
    }
    let app = app(server)?.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

/// The key of the server. A store that was used before has its own: a new one would open nothing.
fn root_key(file: PathBuf, is_new: bool) -> Result<RootKey, KeyFileError> {
    if is_new { RootKey::load_or_create(file) } else { RootKey::load(file) }
}

/// The protected service; whatever is not its own is for the endpoints.
fn app(server: AuthorizationServer) -> Result<Router, Problem> {
    let verifier = Verifier::builder().issuer(server.trusted().audience(API)).build()?;
    let endpoints = Endpoints::builder(server, FindSource::peer(peer)).build()?;
    Ok(Router::new()
        .route("/reports", get(reports).layer(RequireScope::all([scope!("reports:read")])))
        .layer(AuthLayer::new(verifier))
        .fallback_service(endpoints))
}

async fn reports(auth: Authenticated) -> String {
    format!("the reports of {}\n", auth.client_id().unwrap_or_default())
}

/// The address that a request comes from, as axum knows it.
fn peer(head: &RequestHead<'_>) -> Option<IpAddr> {
    head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

/// Creates the demo application if there is none. Its secret is known now or never.
async fn demo_secret(server: &AuthorizationServer, add: bool) -> Result<Option<String>, Problem> {
    let applications = server.applications();
    let secret = match applications.named(APPLICATION).await? {
        Some(app) if add => match applications.add_secret(app.id(), "demo").await {
            Err(AdminError::TooManySecrets) => {
                revoke_oldest_secret(&applications, &app).await?;
                applications.add_secret(app.id(), "demo").await?
            }
            added => added?,
        },
        Some(_) => return Ok(None),
        None => {
            let scopes = ScopeSet::parse("reports:read reports:write")?;
            let new = NewApplication::new(APPLICATION).audience(API).scopes(scopes);
            applications.create(new).await?.1
        }
    };
    Ok(Some(secret.expose().to_owned()))
}

/// An application has two secrets at most. What the oldest one opened lives on.
async fn revoke_oldest_secret(all: &Applications, app: &Application) -> Result<(), AdminError> {
    match app.secrets().min_by_key(|secret: &SecretInfo<'_>| secret.created_at()) {
        Some(oldest) => {
            eprintln!("appfusion: the older of two secrets is good no more");
            all.revoke_secret(app.id(), oldest.id(), Cascade::No).await
        }
        None => Ok(()),
    }
}

/// What to paste into a shell, one command after the other.
fn story(url: &str, secret: Option<&str>) -> String {
    let secret = match secret {
        Some(secret) => format!("The secret of App1, which is shown this once:\nSECRET={secret}"),
        None => "The secret of App1 was shown when it was created; --new-secret adds another.\nSECRET=...".to_owned(),
    };
    format!("# {secret}\nURL={url}\n{STORY}")
}

const STORY: &str = r#"
# to ask an endpoint, and to take the tokens from its answer
ask() { curl -s $URL/api/Auth/$1 -H 'content-type: application/json' -d "$2" $3; echo; }
member() { echo "$2" | sed 's/.*"'$1'":"//; s/".*//'; }
take() { echo "$1"; ACCESS=$(member accessToken "$1"); REFRESH=$(member refreshToken "$1"); }

# authenticate: an access token and a refresh token
take "$(ask authenticateApplication '{"applicationName":"App1","applicationSecret":"'$SECRET'"}')"

# call the service: 200
curl -i $URL/reports -H "Authorization: Bearer $ACCESS"

# refresh: the next pair
OLD=$REFRESH; take "$(ask refreshApplicationToken '{"refreshToken":"'$OLD'"}')"

# refresh again, then replay the first token: 401, and the family has ended
take "$(ask refreshApplicationToken '{"refreshToken":"'$REFRESH'"}')"
ask refreshApplicationToken '{"refreshToken":"'$OLD'"}' -i

# so the last tokens are refused too: 401
curl -i $URL/reports -H "Authorization: Bearer $ACCESS"

# authenticate anew, and revoke: {}
take "$(ask authenticateApplication '{"applicationName":"App1","applicationSecret":"'$SECRET'"}')"
ask revokeApplicationToken '{"refreshToken":"'$REFRESH'"}'

# call the service: 401
curl -i $URL/reports -H "Authorization: Bearer $ACCESS"
"#;

/// The command line.
struct Options {
    db: PathBuf,
    algorithm: Algorithm,
    listen: SocketAddr,
    new_secret: bool,
}

impl Options {
    fn parse(arguments: Vec<String>) -> Result<Self, Problem> {
        let mut options = Self {
            db: "appfusion.db".into(),
            algorithm: Algorithm::Es256,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            new_secret: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--new-secret" {
                options.new_secret = true;
                continue;
            }
            let mut value =
                || arguments.next().ok_or(format!("{argument} needs a value: see --help"));
            match argument.as_str() {
                "--db" => options.db = value()?.into(),
                "--alg" => options.algorithm = value()?.parse()?,
                "--listen" => {
                    let value = value()?;
                    let wrong = |error| format!("--listen {value}: {error}; write 127.0.0.1:8080");
                    options.listen = value.parse().map_err(wrong)?;
                }
                _ => return Err(format!("unknown option {argument:?}: see --help").into()),
            }
        }
        Ok(options)
    }

    fn key_file(&self) -> PathBuf {
        let mut name = self.db.clone().into_os_string();
        name.push(".key");
        name.into()
    }
}
