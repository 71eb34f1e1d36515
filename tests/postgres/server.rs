//! A PostgreSQL server of one's own, on a socket in a folder of its own.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tower_bearer::store::{Postgres, PostgresBuilder};

use crate::folder::Folder;

/// Set by whoever knows that the server's programs are installed: without them the tests fail then,
/// and are left out otherwise.
const REQUIRED: &str = "TOWER_BEARER_POSTGRES";

/// Ends when it is told to, and with this process, however that ends: its input is closed then, and
/// nobody else takes the folder away.
const UNTIL_INPUT_ENDS: &str = r#"folder=$1; shift; "$@" & server=$!; read -r line
    kill -INT "$server"; wait "$server"; [ -n "$line" ] || rm -r "$folder""#;

pub(crate) struct Server {
    folder: Folder,
    programs: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// One that all tests of this process share, each in a schema of its own; nothing if PostgreSQL is
    /// not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// One of one's own, to be stopped or killed.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(env::var_os(REQUIRED).is_none(), "PostgreSQL is not installed");
            println!("left out: PostgreSQL is not installed");
            return None;
        };
        let mut server = Self { folder: Folder::new(), programs, child: None };
        if let Some((user, group)) = other_user() {
            chown(server.folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut init = server.command(Command::new(server.programs.join("initdb")));
        init.args(["--username", "postgres", "--auth", "trust", "--no-sync"]);
        init.args(["--encoding", "UTF8", "--locale", "C", "--pgdata"]).arg(server.data());
        let made = init.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.go_on();
        Some(server)
    }

    /// Starts the server, which was stopped.
    pub(crate) fn go_on(&mut self) {
        let mut command = self.command(Command::new("sh"));
        command.args(["-c", UNTIL_INPUT_ENDS, "sh"]).arg(self.folder.path());
        command.arg(self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        // What a test loses to a crash of the machine is nothing that it looks for.
        for setting in ["listen_addresses=", "fsync=off", "max_connections=200"] {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let is_ready = |line: &str| line.contains("ready to accept connections");
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| is_ready(line)) {
            let line = said.next().unwrap_or_else(|| panic!("no server: {lines:#?}"));
            lines.push(line.unwrap());
        }
        // Nobody reads on, and the server must not wait for that.
        thread::spawn(move || said.for_each(drop));
        self.child = Some(child);
    }

    /// Ends the server, and every connection with it.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            writeln!(child.stdin.take().unwrap(), "stop").unwrap();
            child.wait().unwrap();
        }
    }

    /// A store in a schema that nobody else uses.
    pub(crate) fn store(&self) -> PostgresBuilder {
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        Postgres::builder(self.url()).schema(format!("store_{number}"))
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)));
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where `initdb` and `postgres` are: in the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let mut folders = in_path.unwrap_or_default().into_iter().chain(versions.into_iter().rev());
    folders.find(|folder| ["initdb", "postgres"].iter().all(|name| folder.join(name).exists()))
}

/// The server does not run as root.
fn other_user() -> Option<(u32, u32)> {
    let owner = Path::new("/proc/self");
    let is_root = std::os::unix::fs::MetadataExt::uid(&fs::metadata(owner).ok()?) == 0;
    if !is_root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = ["postgres:", "nobody:"]
        .iter()
        .filter_map(|name| users.lines().find(|line| line.starts_with(name)));
    let mut fields = lines.next()?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
