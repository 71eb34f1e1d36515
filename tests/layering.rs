//! Who may use whom: reads every file under `src` and checks the rows of the house.
//!
//! A file may use its own row and the rows below it, and inside a row the modules form no
//! cycle. `paths` finds what a file names; `finds` shows on made-up sources that each rule is
//! found broken.

#[path = "layering/finds.rs"]
mod finds;
#[path = "layering/paths.rs"]
mod paths;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, fs,
    path::Path,
};

use paths::{Reference, references};

/// The rows from the bottom up. A new module is put into one of them.
///
/// A path of several modules outranks its parent: `issue::endpoints` is not in the row of `issue`.
const ROWS: &[&[&str]] = &[
    &["claims", "error", "json", "lanes", "scope", "secret", "span", "time"],
    &["crypto", "jws", "key", "policy"],
    &["challenge", "token", "url"],
    &[
        "authenticate",
        "cache",
        "dpop",
        "event",
        "introspection",
        "issue",
        "issuer",
        "mtls",
        "refusal",
        "remote_keys",
        "revocation",
        "verified",
        "verifier",
        "wait",
    ],
    &["auth", "issue::endpoints", "ready", "require", "require_scope"],
    &["extract", "manual", "store", "test_util"],
];

/// Files that are longer than `MAX_LINES`, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

const MAX_LINES: usize = 400;

/// Macros that live at the crate's root, where `macro_rules!` puts them, and share no module's name.
const ROOT_MACROS: &[&str] = &["scopes"];

/// Crates of the web that rows 0 to 2 do not know; row 2 speaks `http`, and only that.
const WEB: &[&str] = &[
    "axum",
    "axum_core",
    "http",
    "http_body",
    "http_body_util",
    "hyper",
    "tokio",
    "tower",
    "tower_layer",
    "tower_service",
];

/// Crates that compute signatures, and the modules that may name them.
const BACKENDS: &[(&str, &[&str])] = &[
    ("aws_lc_rs", &["crypto"]),
    ("aws_lc_sys", &["crypto"]),
    ("ed25519_dalek", &["crypto"]),
    ("jsonwebtoken", &["crypto"]),
    ("p256", &["crypto"]),
    ("p384", &["crypto"]),
    ("p521", &["crypto"]),
    ("rand_core", &["crypto"]),
    ("rsa", &["crypto"]),
];

#[test]
fn the_source_keeps_its_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    read_dir(&root, "", &mut sources);
    assert!(
        sources.iter().any(|source| source.path == "lib.rs"),
        "no lib.rs in {}",
        root.display()
    );

    let violations = check(&sources, LONG_FILES);
    let report: String = violations.iter().map(|v| format!("\n  {v}")).collect();
    assert!(violations.is_empty(), "{} broken:{report}", violations.len());
}

fn read_dir(dir: &Path, prefix: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    for entry in entries {
        let entry = entry.expect("a directory entry can be read");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_dir(&entry.path(), &format!("{path}/"), sources);
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file is UTF-8");
            sources.push(Source { path, text });
        }
    }
}

/// One file; `path` is relative to `src` and has forward slashes.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The modules that lead to this file: `scope/token.rs` is `[scope, token]`.
    fn modules(&self) -> Vec<&str> {
        let stem = self.path.trim_end_matches(".rs");
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        stem.split('/').filter(|name| *name != "lib").collect()
    }
}

#[derive(PartialEq)]
struct Violation {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// Checks every rule over all files.
fn check(sources: &[Source], long_files: &[(&str, &str)]) -> Vec<Violation> {
    let mut checker = Checker {
        top_level: sources.iter().filter_map(|s| s.modules().first().copied()).collect(),
        edges: BTreeMap::new(),
        violations: Vec::new(),
    };
    checker.check_every_module_has_a_row(sources);
    for source in sources {
        checker.check_length(source, long_files);
        for reference in references(&source.text, &source.modules()) {
            checker.check_reference(source, &reference);
        }
    }
    checker.check_long_files_exist(sources, long_files);
    checker.check_cycles();
    checker.violations.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    checker.violations.dedup();
    checker.violations
}

/// Row and name of the entry of `ROWS` that a module path belongs to.
fn unit_of(modules: &[&str]) -> Option<(usize, &'static str)> {
    let mut found: Option<(usize, &'static str)> = None;
    for (row, units) in ROWS.iter().enumerate() {
        for unit in *units {
            let names: Vec<_> = unit.split("::").collect();
            if modules.starts_with(&names) && found.is_none_or(|(_, best)| best.len() < unit.len())
            {
                found = Some((row, unit));
            }
        }
    }
    found
}

type Edges = BTreeMap<&'static str, BTreeMap<&'static str, (String, usize)>>;

struct Checker<'a> {
    top_level: BTreeSet<&'a str>,
    /// Uses between two modules of one row, with the first place where each was seen.
    edges: Edges,
    violations: Vec<Violation>,
}

impl Checker<'_> {
    fn report(&mut self, source: &Source, line: usize, rule: String) {
        self.violations.push(Violation { file: source.path.clone(), line, rule });
    }

    fn check_every_module_has_a_row(&mut self, sources: &[Source]) {
        let mut reported = BTreeSet::new();
        for source in sources {
            if let Some(&top) = source.modules().first()
                && unit_of(&[top]).is_none()
                && reported.insert(top.to_owned())
            {
                let rule =
                    format!("module `{top}` is in no row: put it into `ROWS` of tests/layering.rs");
                self.report(source, 1, rule);
            }
        }
    }

    fn check_length(&mut self, source: &Source, long_files: &[(&str, &str)]) {
        let lines = source.text.lines().count();
        let listed = long_files.iter().any(|(path, _)| *path == source.path);
        if lines > MAX_LINES && !listed {
            let rule = format!(
                "{lines} lines, more than {MAX_LINES}: split it, or list it in `LONG_FILES` with the reason"
            );
            self.report(source, lines, rule);
        } else if lines <= MAX_LINES && listed {
            let rule =
                format!("{lines} lines, not more than {MAX_LINES}: strike it off `LONG_FILES`");
            self.report(source, lines, rule);
        }
    }

    fn check_long_files_exist(&mut self, sources: &[Source], long_files: &[(&str, &str)]) {
        for (path, reason) in long_files {
            if !sources.iter().any(|source| source.path == *path) {
                let rule = format!("in `LONG_FILES` ({reason}), but there is no such file");
                self.violations.push(Violation { file: (*path).to_owned(), line: 1, rule });
            }
        }
    }

    fn check_reference(&mut self, source: &Source, reference: &Reference) {
        let spelled = &reference.spelled;
        if spelled.windows(2).any(|pair| pair == ["SystemTime", "now"]) && source.path != "time.rs"
        {
            self.report(
                source,
                reference.line,
                "`SystemTime::now` outside time.rs: take a `Clock`".to_owned(),
            );
        }
        match &reference.in_crate {
            Some(target) => self.check_row(source, reference, target),
            None => self.check_foreign(source, reference.line, &spelled[0]),
        }
    }

    fn check_row(&mut self, source: &Source, reference: &Reference, target: &[String]) {
        let names: Vec<_> = target.iter().map(String::as_str).collect();
        // `lib.rs` is above the rows, and a module without one is reported once, elsewhere.
        let Some((row, unit)) = unit_of(&source.modules()) else {
            return;
        };
        if let [name] = names[..]
            && (reference.is_macro || ROOT_MACROS.contains(&name))
        {
            return;
        }
        let Some((target_row, target_unit)) = unit_of(&names) else {
            if names.first().is_none_or(|top| !self.top_level.contains(top)) {
                let rule = format!(
                    "`{}` goes by way of the crate's root: name the module",
                    reference.spelled.join("::")
                );
                self.report(source, reference.line, rule);
            }
            return;
        };
        if target_row > row {
            let rule = format!(
                "`{unit}` (row {row}) uses `{target_unit}` (row {target_row}): a file may use its own row and the rows below"
            );
            self.report(source, reference.line, rule);
        } else if target_row == row && target_unit != unit {
            let place = (source.path.clone(), reference.line);
            self.edges.entry(unit).or_default().entry(target_unit).or_insert(place);
        }
    }

    fn check_foreign(&mut self, source: &Source, line: usize, name: &str) {
        let modules = source.modules();
        if let Some((row, unit)) = unit_of(&modules)
            && WEB.contains(&name)
            && (row < 2 || row == 2 && name != "http")
        {
            let allowed = if row < 2 { "nothing of the web" } else { "only `http`" };
            self.report(
                source,
                line,
                format!("`{unit}` (row {row}) names `{name}`: rows below 3 know {allowed}"),
            );
        }
        if let Some((_, allowed)) = BACKENDS.iter().find(|(backend, _)| *backend == name)
            && modules.first().is_none_or(|top| !allowed.contains(top))
        {
            self.report(
                source,
                line,
                format!("names `{name}`: only {} may", allowed.join("/ and ") + "/"),
            );
        }
    }

    fn check_cycles(&mut self) {
        let mut seen = BTreeSet::new();
        for (&from, targets) in &self.edges {
            for &to in targets.keys() {
                let Some(mut cycle) = shortest_path(&self.edges, to, from) else {
                    continue;
                };
                let first = (0..cycle.len()).min_by_key(|&i| cycle[i]).unwrap_or(0);
                cycle.rotate_left(first);
                if seen.insert(cycle.clone()) {
                    self.violations.push(cycle_violation(&self.edges, &cycle));
                }
            }
        }
    }
}

/// The modules from `from` to `to`, both included.
fn shortest_path(edges: &Edges, from: &'static str, to: &'static str) -> Option<Vec<&'static str>> {
    let mut queue = VecDeque::from([vec![from]]);
    let mut visited = BTreeSet::from([from]);
    while let Some(path) = queue.pop_front() {
        let last = path[path.len() - 1];
        if last == to {
            return Some(path);
        }
        for &next in edges.get(last).into_iter().flat_map(BTreeMap::keys) {
            if visited.insert(next) {
                queue.push_back([path.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

fn cycle_violation(edges: &Edges, cycle: &[&'static str]) -> Violation {
    let mut rule = format!("modules of one row use each other in a circle: `{}`", cycle[0]);
    for (i, from) in cycle.iter().enumerate() {
        let to = cycle[(i + 1) % cycle.len()];
        let (file, line) = &edges[from][to];
        rule += &format!(" -> `{to}` (src/{file}:{line})");
    }
    let (file, line) = edges[cycle[0]][cycle[1 % cycle.len()]].clone();
    Violation { file, line, rule }
}
