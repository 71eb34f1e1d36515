//! What must not compile, and the messages that say why: `tests/ui/*.rs`, each with its
//! `.stderr`; `UPDATE_UI=1` writes those anew.
//!
//! The cases are compiled against the library as `cargo test` built it. Messages differ between
//! versions of the compiler, with the features, and with the component `rust-src`, whose sources are
//! quoted. So they are compared only where they were written: with Rust 1.95 without `rust-src`, and
//! all features. That forgery and bad scopes do not compile is shown for every compiler by the
//! examples in the documentation that must fail.
#![cfg(all(feature = "aws-lc-rs", feature = "rust-crypto", feature = "tracing"))]
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// R-JWS-36: nothing but a verifier makes what stands for a verified token. R-SCOPE-09, R-SCOPE-10:
/// a scope with other characters and an empty requirement are found by the compiler.
#[test]
fn misuse_does_not_compile() {
    let sysroot = run(rustc().args(["--print", "sysroot"]));
    let has_sources = Path::new(sysroot.trim()).join("lib/rustlib/src").exists();
    if has_sources || !run(rustc().arg("--version")).starts_with("rustc 1.95.") {
        println!("not compared: this is not Rust 1.95 without rust-src");
        return;
    }
    let libraries = libraries();
    let mut wrong = Vec::new();
    for case in cases("tests/ui/pass") {
        let messages = messages(&case, &libraries);
        if !messages.is_empty() {
            wrong.push(format!("{} must compile, but:\n{messages}", case.display()));
        }
    }
    for case in cases("tests/ui") {
        let messages = messages(&case, &libraries);
        let expected = case.with_extension("stderr");
        if env::var_os("UPDATE_UI").is_some() {
            fs::write(&expected, &messages).expect("the messages are written");
        }
        if messages.is_empty() || fs::read_to_string(&expected).ok().as_ref() != Some(&messages) {
            wrong.push(format!("{} gives:\n{messages}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("the folder is there");
    let mut cases: Vec<_> = files.map(|file| file.expect("the folder is read").path()).collect();
    cases.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    cases.sort();
    assert!(!cases.is_empty(), "no case in {folder}");
    cases
}

/// What the compiler says of a case, without what depends on where its other files lie.
fn messages(case: &Path, libraries: &[PathBuf]) -> String {
    let made = env!("CARGO_TARGET_TMPDIR");
    let mut compiler = rustc();
    compiler.args(["--edition", "2024", "--error-format", "json", "--emit", "obj"]);
    compiler.arg("--out-dir").arg(made).arg(case);
    for library in libraries {
        let folder = library.parent().expect("a library lies in a folder").display();
        let file = library.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
        let (name, _) = file.trim_start_matches("lib").split_once('-').expect("a name and a hash");
        compiler.arg("-L").arg(format!("dependency={folder}"));
        compiler.arg("--extern").arg(format!("{name}={}", library.display()));
    }
    let output = compiler.output().expect("rustc runs");
    let lines = String::from_utf8(output.stderr).expect("rustc writes UTF-8");
    let messages = lines.lines().map(|line| {
        serde_json::from_str::<Message>(line).unwrap_or_else(|_| panic!("not a message: {line}"))
    });
    messages
        .filter(|message| message.level == "error" && !message.spans.is_empty())
        .map(|m| m.text())
        .collect()
}

/// The files of the library and of axum, which the cases use.
fn libraries() -> Vec<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--locked", "--no-run", "--test", "ui", "--message-format", "json"]);
    cargo.args(["--features", "full,test-util"]);
    let artifacts = run(&mut cargo);
    ["tower_bearer", "axum"]
        .map(|name| {
            let named = |artifact: &Artifact| {
                artifact.target.name == name
                    && artifact.target.kind.iter().any(|kind| kind == "lib")
            };
            let mut artifacts =
                artifacts.lines().filter_map(|line| serde_json::from_str(line).ok());
            let artifact: Artifact = artifacts.find(named).expect("the library was built");
            let mut files = artifact.filenames.into_iter();
            files.find(|file| file.extension().is_some_and(|e| e == "rlib")).expect("a library")
        })
        .into()
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the command writes UTF-8")
}

/// A message of the compiler.
#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    label: Option<String>,
}

#[derive(Deserialize)]
struct Child {
    message: String,
    level: String,
}

impl Message {
    fn text(&self) -> String {
        let code = self.code.as_ref().map(|code| format!("[{}]", code.code)).unwrap_or_default();
        let mut text = format!("error{code}: {}\n", self.message);
        for span in &self.spans {
            let label = span.label.as_deref().unwrap_or_default();
            if span.file_name.starts_with("tests/ui/") {
                text += &format!("  at {}:{} {label}\n", span.line_start, span.column_start);
            }
        }
        for Child { level, message } in &self.children {
            text += &format!("  {level}: {}\n", message.trim().replace('\n', "\n    "));
        }
        text + "\n"
    }
}

/// What Cargo built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}
