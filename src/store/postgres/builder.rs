use std::{path::Path, str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use super::{
    Postgres,
    database::Database,
    error::{self, ConnectError},
    guesses::Guesses,
    notices::Listening,
    schema,
};

/// Settings for a [`Postgres`] store.
///
/// ```no_run
/// use std::time::Duration;
/// use tower_bearer::store::Postgres;
///
/// # async fn example() -> Result<(), tower_bearer::store::ConnectError> {
/// let store = Postgres::builder("postgres://issuer@db.example.com/tokens?sslmode=verify-full")
///     .connections(20)
///     .timeout(Duration::from_secs(2))
///     .connect()
///     .await?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresBuilder {
    url: String,
    password: Option<String>,
    schema: String,
    connections: u32,
    timeout: Duration,
    takes_plaintext: bool,
}

/// How long making or changing the tables may take.
const PREPARED_WITHIN: Duration = Duration::from_secs(60);

/// Those that the driver knows.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// How the server's own lists name the connections.
const APPLICATION_NAME: &str = "tower-bearer";

impl PostgresBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            password: None,
            schema: "tower_bearer".to_owned(),
            connections: 10,
            timeout: Duration::from_secs(5),
            takes_plaintext: false,
        }
    }

    /// The password, instead of one in the address: for one that comes from a secret manager.
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { password: Some(password.into()), ..self }
    }

    /// The schema that the tables are in, which is made if there is none: `tower_bearer` unless said
    /// otherwise, at most 63 lower-case letters, digits and `_`, a letter first.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), ..self }
    }

    /// How many connections there are at most: 10 unless said otherwise, 2 to 1 000.
    pub fn connections(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    /// How long an operation may take, waiting for a connection included, in whole milliseconds: 5 s
    /// unless said otherwise, 100 ms to 60 s. The server gives up as well, with its
    /// `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Takes a connection to another machine that is not encrypted, or whose server is not verified:
    /// whoever is on the way between may read and change everything then.
    pub fn danger_unprotected(self) -> Self {
        Self { takes_plaintext: true, ..self }
    }

    /// Connects, and makes the tables or brings them up to date.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong and the remedy.
    pub async fn connect(self) -> Result<Postgres, ConnectError> {
        let options = self.options()?;
        let failed = |error: sqlx::Error| ConnectError::Database {
            schema: self.schema.clone(),
            source: error.into(),
        };
        let listening = Listening::start(options.clone(), &self.schema);
        let pool = PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.timeout)
            // What fails at its first use is not worth a question before each.
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(failed)?;
        let mut connection = pool.acquire().await.map_err(failed)?;
        let prepared = schema::prepare(&mut connection, &self.schema);
        let late = |_| failed(error::late(PREPARED_WITHIN));
        tokio::time::timeout(PREPARED_WITHIN, prepared).await.map_err(late)??;
        drop(connection);
        let database = Database { pool, timeout: self.timeout, begun: Arc::default() };
        let (database, listening) = (Arc::new(database), Arc::new(listening));
        let guesses =
            Guesses { database: Arc::clone(&database), listening: Arc::clone(&listening) };
        Ok(Postgres { database, schema: self.schema.into(), listening, guesses })
    }

    fn options(&self) -> Result<PgConnectOptions, ConnectError> {
        self.check()?;
        if !["postgres://", "postgresql://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(ConnectError::Address { problem: "not a `postgres://` URL".to_owned() });
        }
        self.check_parameters()?;
        // What the parser says may quote the address, and the password with it.
        let unreadable = |_| ConnectError::Address { problem: "it cannot be read".to_owned() };
        let mut options = PgConnectOptions::from_str(&self.url).map_err(unreadable)?;
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        let is_elsewhere = !is_local(&options);
        let is_chosen = self.url.contains("sslmode=") || self.url.contains("ssl-mode=");
        if is_elsewhere && !is_chosen {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        // With `verify-ca` anybody's certificate would do, as the public authorities are trusted, too.
        let is_protected = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
        if is_elsewhere && !is_protected && !self.takes_plaintext {
            return Err(ConnectError::Unprotected { host: options.get_host().to_owned() });
        }
        let timeout = format!("{}ms", self.timeout.as_millis());
        Ok(options.application_name(APPLICATION_NAME).disable_statement_logging().options([
            ("search_path", &*format!("\"{}\"", self.schema)),
            ("statement_timeout", &timeout),
            ("lock_timeout", &timeout),
            ("idle_in_transaction_session_timeout", &timeout),
            ("default_transaction_isolation", r"read\ committed"),
        ]))
    }

    /// What the driver does not know it writes to the log, and it may be part of a password.
    fn check_parameters(&self) -> Result<(), ConnectError> {
        let (_, query) = self.url.split_once('?').unwrap_or_default();
        let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
        let is_known = |name: &str| name.is_empty() || PARAMETERS.contains(&name);
        match names.all(is_known) {
            true => Ok(()),
            false => {
                let problem = "it has a parameter that is not known here".to_owned();
                Err(ConnectError::Address { problem })
            }
        }
    }

    fn check(&self) -> Result<(), ConnectError> {
        let is_name = |name: &str| {
            let mut bytes = name.bytes();
            let rest =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            name.len() <= 63
                && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
                && bytes.all(rest)
        };
        let milliseconds = self.timeout.as_millis();
        let (name, value, remedy) = if !is_name(&self.schema) {
            let remedy = "use at most 63 lower-case letters, digits and `_`, a letter first";
            ("schema", self.schema.clone(), remedy)
        } else if !(2..=1000).contains(&self.connections) {
            ("connections", self.connections.to_string(), "use 2 to 1000")
        } else if !(100..=60_000).contains(&milliseconds)
            || !self.timeout.subsec_nanos().is_multiple_of(1_000_000)
        {
            ("timeout", format!("{:?}", self.timeout), "use 100 ms to 60 s, in whole milliseconds")
        } else {
            return Ok(());
        };
        Err(ConnectError::Setting { name, value, remedy })
    }
}

/// Whether the server is on this machine, as far as its address says.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_loopback = |host: &str| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    };
    options.get_socket().is_some() || Path::new(host).is_absolute() || is_loopback(host)
}

/// Says nothing of the address, which may have a password in it.
impl std::fmt::Debug for PostgresBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresBuilder").field("schema", &self.schema).finish_non_exhaustive()
    }
}
