//! A guarded service that is described by its command line, for real tokens from anywhere.
//!
//! ```text
//! cargo run --example guard -- --issuer https://id.example.com --audience https://api.example.com \
//!     --jwks keys.json --algorithms ES256 --route 'GET /reports=reports:read'
//! ```
//!
//! A request that is let through is answered with the claims and scopes of its token. `--help`
//! lists all options. Refusals are logged to stderr with `RUST_LOG=tower_bearer=info`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt::Display,
    io::Write,
    net::SocketAddr,
    process::ExitCode,
    str::FromStr,
    time::Duration,
};

use axum::{
    Json, Router,
    http::{Method, uri::PathAndQuery},
    routing::{MethodFilter, on},
};
use serde_json::value::RawValue;
use tokio::net::TcpListener;
#[cfg(feature = "reqwest")]
use tower_bearer::remote_keys::RemoteKeys;
use tower_bearer::{
    Algorithm, AuthLayer, Authenticated, Backend, ConfigError, Issuer, RequireScope, Verifier,
    issuer::KeySource,
    key::{KeySet, VerifyingKey},
    policy::TokenType,
    scope::{Requirement, ScopeError},
    time::UnixTime,
};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

const HELP: &str = "\
Serves routes that only verified bearer tokens open. Answers 200 with
{\"claims\": the payload of the token, \"scopes\": what it grants, sorted}.

An issuer, and what is said of it up to the next one:
  --issuer URL              the exact `iss` of its tokens; may be given several times
  --discover URL            the same, and its metadata says where its keys are
  --audience TEXT           a name of this service in `aud`; may be given several times
  --algorithms A,B          what it signs with, for example RS256,ES256; always needed
  --jwks FILE               its public keys, a JWKS document, or
  --jwks-uri URL            where they are fetched from and kept fresh, or
  --secret-file FILE        the secret shared with it: the bytes of the file as they are,
                            one HMAC key for each of the algorithms
  --secret-kid KID          the key id of the secret; without it tokens must have none
  --token-type at+jwt|any   at+jwt (default) demands all claims of RFC 9068,
                            any demands exp, iss and aud
  --leeway SECONDS          how much its clock may differ: 60 unless given, at most 300

Anywhere:
  --route 'METHOD /path=scopes'
                            a route; may be given several times. Scopes separated by space are
                            all needed, `|` stands between alternatives, nothing means any
                            verified token. The path is taken literally
  --realm TEXT              the realm of challenges: api unless given
  --listen ADDR:PORT        127.0.0.1:8080 unless given; port 0 takes a free one
  --at UNIX_SECONDS         verifies as of this time
  --backend aws-lc-rs|rust-crypto
  --help
";

/// The options with a value, and what the value is.
const OPTIONS: [(&str, &str); 15] = [
    ("--issuer", "URL"),
    ("--discover", "URL"),
    ("--audience", "TEXT"),
    ("--algorithms", "RS256,ES256"),
    ("--jwks", "FILE"),
    ("--jwks-uri", "URL"),
    ("--secret-file", "FILE"),
    ("--secret-kid", "KID"),
    ("--token-type", "at+jwt|any"),
    ("--leeway", "SECONDS"),
    ("--route", "'METHOD /path=scopes'"),
    ("--realm", "TEXT"),
    ("--listen", "ADDR:PORT"),
    ("--at", "UNIX_SECONDS"),
    ("--backend", "aws-lc-rs|rust-crypto"),
];

/// What is wrong: the option and the remedy.
type Problem = String;

/// The payload as it is: the values are passed on unread, so that nothing about them is refused or
/// changed.
type Claims = BTreeMap<String, Box<RawValue>>;

/// What a request that is let through gets.
#[derive(serde::Serialize)]
struct Answer {
    claims: Claims,
    scopes: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("guard: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<OsString>) -> Result<(), Problem> {
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return Ok(());
    }
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    let filter = filter.from_env().map_err(|error| format!("RUST_LOG: {error}"))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let options = Options::parse(arguments)?;
    let listen = options.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let app = app(options)?;
    let taken =
        |error| format!("--listen {listen}: {error}; choose another port, or 0 for a free one");
    let listener = TcpListener::bind(listen).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    println!("listening on http://{address}");
    let lost = |error| format!("the connection to the network or to stdout is lost: {error}");
    std::io::stdout().flush().map_err(lost)?;
    axum::serve(listener, app).await.map_err(lost)
}

fn app(options: Options) -> Result<Router, Problem> {
    let mut verifier = Verifier::builder().claims::<Claims>();
    for issuer in options.issuers {
        verifier = verifier.issuer(issuer.into_issuer()?);
    }
    if let Some(backend) = options.backend {
        verifier = verifier.backend(backend);
    }
    if let Some(at) = options.at {
        verifier = verifier.clock(at);
    }
    let mut layer = AuthLayer::builder(verifier.build().map_err(name_option)?);
    if let Some(realm) = options.realm {
        layer = layer.realm(realm);
    }
    let routes = options.routes.into_iter().fold(Router::new().without_v07_checks(), Route::add);
    Ok(routes.layer(layer.build().map_err(name_option)?))
}

async fn answer(auth: Authenticated<Claims>) -> Json<Answer> {
    let scopes = auth.scopes().iter().map(str::to_owned).collect();
    Json(Answer { claims: auth.custom().clone(), scopes })
}

/// The command line.
#[derive(Default)]
struct Options {
    issuers: Vec<IssuerOptions>,
    routes: Vec<Route>,
    realm: Option<String>,
    listen: Option<SocketAddr>,
    at: Option<UnixTime>,
    backend: Option<Backend>,
}

impl Options {
    fn parse(arguments: Vec<OsString>) -> Result<Self, Problem> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let known = OPTIONS.into_iter().find(|(option, _)| argument == *option);
            let Some((option, form)) = known else {
                return Err(format!("unknown option {argument:?}: see --help"));
            };
            let value = arguments.next().and_then(|value| value.into_string().ok());
            match value.filter(|value| !value.starts_with("--")) {
                Some(value) => options.take(option, value)?,
                None => return Err(format!("{option} needs a value: {option} {form}")),
            }
        }
        if options.issuers.is_empty() {
            return Err("--issuer is missing: name whose tokens open the routes".to_owned());
        }
        if options.routes.is_empty() {
            return Err("--route is missing: for example --route 'GET /=' for any token".to_owned());
        }
        Ok(options)
    }

    fn take(&mut self, option: &str, value: String) -> Result<(), Problem> {
        match option {
            "--issuer" => self.issuers.push(IssuerOptions { name: value, ..Default::default() }),
            "--discover" => {
                let keys = Some(Remote::Discovered);
                self.issuers.push(IssuerOptions {
                    name: value,
                    remote: keys,
                    ..Default::default()
                });
            }
            "--route" => {
                let route = Route::parse(&value)?;
                if self.routes.iter().any(|other| other.meets_as(&route)) {
                    return Err(format!(
                        "--route {value:?}: method and path stand in an earlier route; join the two with `|`"
                    ));
                }
                self.routes.push(route);
            }
            "--realm" => once(option, &mut self.realm, value)?,
            "--listen" => once(option, &mut self.listen, parsed(option, &value)?)?,
            "--at" => once(option, &mut self.at, UnixTime::from_secs(parsed(option, &value)?))?,
            "--backend" => once(option, &mut self.backend, parsed(option, &value)?)?,
            _ => match self.issuers.last_mut() {
                Some(issuer) => issuer.take(option, value)?,
                None => {
                    return Err(format!(
                        "{option} belongs to an issuer: put --issuer URL before it"
                    ));
                }
            },
        }
        Ok(())
    }
}

/// What is said of one issuer.
#[derive(Default)]
struct IssuerOptions {
    name: String,
    audiences: Vec<String>,
    algorithms: Option<BTreeSet<Algorithm>>,
    jwks: Option<String>,
    remote: Option<Remote>,
    secret_file: Option<String>,
    secret_kid: Option<String>,
    token_type: Option<TokenType>,
    leeway: Option<Duration>,
}

/// Where keys are fetched from.
enum Remote {
    Discovered,
    At(String),
}

#[cfg(feature = "reqwest")]
impl Remote {
    fn keys(&self) -> Result<KeySource, Problem> {
        Ok(match self {
            Self::Discovered => RemoteKeys::discovered().into(),
            Self::At(uri) => RemoteKeys::new(uri).into(),
        })
    }
}

#[cfg(not(feature = "reqwest"))]
impl Remote {
    fn keys(&self) -> Result<KeySource, Problem> {
        let option = match self {
            Self::Discovered => "--discover".to_owned(),
            Self::At(uri) => format!("--jwks-uri {uri}"),
        };
        Err(format!("{option}: run the example with --features reqwest to fetch keys"))
    }
}

impl IssuerOptions {
    fn take(&mut self, option: &str, value: String) -> Result<(), Problem> {
        match option {
            "--audience" => self.audiences.push(value),
            "--algorithms" => {
                let algorithms =
                    value.split(',').map(str::parse).collect::<Result<BTreeSet<_>, _>>();
                once(option, &mut self.algorithms, algorithms.map_err(name_option)?)?;
            }
            "--jwks" => once(option, &mut self.jwks, value)?,
            "--jwks-uri" => once(option, &mut self.remote, Remote::At(value))?,
            "--secret-file" => once(option, &mut self.secret_file, value)?,
            "--secret-kid" => once(option, &mut self.secret_kid, value)?,
            "--token-type" => once(option, &mut self.token_type, parsed(option, &value)?)?,
            "--leeway" => {
                let leeway = Duration::from_secs(parsed(option, &value)?);
                once(option, &mut self.leeway, leeway)?;
            }
            _ => return Err(format!("unknown option {option:?}: see --help")),
        }
        Ok(())
    }

    fn into_issuer(self) -> Result<Issuer, Problem> {
        let Some(algorithms) = &self.algorithms else {
            return Err(self.lacks("--algorithms", "list what it signs with, such as RS256,ES256"));
        };
        if self.audiences.is_empty() {
            return Err(self.lacks("--audience", "name this service as its tokens do"));
        }
        let keys = self.keys(algorithms)?;
        let mut issuer = Issuer::new(&self.name).algorithms(algorithms.clone()).keys(keys);
        for audience in self.audiences {
            issuer = issuer.audience(audience);
        }
        if let Some(token_type) = self.token_type {
            issuer = issuer.token_type(token_type);
        }
        if let Some(leeway) = self.leeway {
            issuer = issuer.leeway(leeway);
        }
        Ok(issuer)
    }

    fn keys(&self, algorithms: &BTreeSet<Algorithm>) -> Result<KeySource, Problem> {
        if let Some(remote) = &self.remote {
            let Self { jwks: None, secret_file: None, secret_kid: None, .. } = self else {
                return Err(format!(
                    "--issuer {}: keys that are fetched exclude others",
                    self.name
                ));
            };
            return remote.keys();
        }
        self.keys_at_hand(algorithms).map(Into::into)
    }

    fn keys_at_hand(&self, algorithms: &BTreeSet<Algorithm>) -> Result<KeySet, Problem> {
        match (&self.jwks, &self.secret_file) {
            (None, None) => {
                Err(self.lacks("--jwks or --secret-file", "give it keys by one of them"))
            }
            (Some(_), Some(_)) => Err(format!(
                "--issuer {}: --jwks and --secret-file exclude each other; keep one",
                self.name
            )),
            (Some(_), None) if self.secret_kid.is_some() => {
                Err("--secret-kid belongs to --secret-file: a JWKS document has its own".to_owned())
            }
            (Some(file), None) => {
                let document = read("--jwks", file, |file| std::fs::read_to_string(file))?;
                KeySet::from_jwks(&document).map_err(|error| format!("--jwks {file}: {error}"))
            }
            (None, Some(file)) => {
                let secret = read("--secret-file", file, |file| std::fs::read(file))?;
                let key = |algorithm: &Algorithm| self.secret_key(file, &secret, *algorithm);
                algorithms.iter().map(key).collect()
            }
        }
    }

    /// One key serves one algorithm, and each of them wants a secret as long as its hash.
    fn secret_key(
        &self,
        file: &str,
        secret: &[u8],
        algorithm: Algorithm,
    ) -> Result<VerifyingKey, Problem> {
        let key = VerifyingKey::hmac(algorithm, secret).map_err(|error| {
            format!(
                "--secret-file {file} for {algorithm}: {error}; change --algorithms or the file"
            )
        })?;
        match &self.secret_kid {
            Some(kid) => key.with_id(kid).map_err(|error| format!("--secret-kid: {error}")),
            None => Ok(key),
        }
    }

    fn lacks(&self, option: &str, remedy: &str) -> Problem {
        format!("--issuer {}: {option} is missing: {remedy}", self.name)
    }
}

/// `METHOD /path=scopes`
struct Route {
    method: MethodFilter,
    path: String,
    requirement: Requirement,
}

impl Route {
    fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &dyn Display| {
            format!("--route {text:?}: {what}; write --route 'GET /reports=reports:read'")
        };
        let (target, scopes) = text.split_once('=').ok_or_else(|| wrong(&"there is no `=`"))?;
        let (method, path) =
            target.split_once(' ').ok_or_else(|| wrong(&"there is no space after the method"))?;
        let method = Method::from_str(method).ok().and_then(|method| method.try_into().ok());
        let method = method.ok_or_else(|| wrong(&"the method is not one that can be routed"))?;
        let literal = PathAndQuery::from_str(path).is_ok_and(|uri| uri.path() == path);
        if !literal || !path.starts_with('/') {
            return Err(wrong(&"the path must begin with `/` and have no query"));
        }
        let requirement = match scopes {
            "" => Requirement::authenticated(),
            _ => scopes.parse().map_err(|error| match error {
                ScopeError::EmptyRequirement => wrong(&"an alternative has no scope"),
                error => wrong(&error),
            })?,
        };
        Ok(Self { method, path: path.to_owned(), requirement })
    }

    fn meets_as(&self, other: &Self) -> bool {
        (&self.method, &self.path) == (&other.method, &other.path)
    }

    fn add(router: Router, route: Self) -> Router {
        // To axum braces would name a capture.
        let path = route.path.replace('{', "{{").replace('}', "}}");
        let guard = RequireScope::new(route.requirement);
        router.route(&path, on(route.method, answer).route_layer(guard))
    }
}

fn once<T>(option: &str, place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is given twice: keep one")),
    }
}

fn parsed<T: FromStr>(option: &str, value: &str) -> Result<T, Problem> {
    let form = OPTIONS.into_iter().find(|(name, _)| *name == option).map_or("", |(_, form)| form);
    value.parse().map_err(|_| format!("{option} {value:?}: write {option} {form}"))
}

fn read<T>(
    option: &str,
    file: &str,
    how: impl Fn(&str) -> std::io::Result<T>,
) -> Result<T, Problem> {
    how(file).map_err(|error| format!("{option} {file}: {error}; name a file that can be read"))
}

/// Says which option a mistake comes from, as the library knows its own settings only.
fn name_option(error: ConfigError) -> Problem {
    let option = match error {
        ConfigError::UnknownAlgorithm { .. }
        | ConfigError::MixedAlgorithms { .. }
        | ConfigError::UnsupportedAlgorithm { .. } => "--algorithms",
        ConfigError::EmptyAudience { .. } => "--audience",
        ConfigError::LeewayTooLong { .. } => "--leeway",
        ConfigError::NoUsableKey { .. } => "--jwks",
        ConfigError::InvalidUrl { name: "jwks_uri", .. } => "--jwks-uri",
        ConfigError::InvalidUrl { .. } => "--discover",
        ConfigError::InvalidChallengeValue { .. } => "--realm",
        ConfigError::NoBackend | ConfigError::BackendNotCompiled { .. } => "--backend",
        _ => "--issuer",
    };
    format!("{option}: {error}")
}
