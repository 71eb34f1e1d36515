//! Keeps `docs/conformance.md` and the tests together: every test that the page names is there and
//! says which rule it shows, and every rule that a test shows is on the page.

#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Test names by rule id.
type Shown = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_page_names_the_tests_that_show_each_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/conformance.md")).expect("the page");
    let (page, tests) = (shown_by_page(&page), shown_by_tests(&root.join("tests"), ""));
    assert!(page.len() > 100, "the page is read wrongly: {} rules", page.len());
    let all: BTreeSet<_> = page.keys().chain(tests.keys()).collect();
    for rule in all {
        assert_eq!(page.get(rule), tests.get(rule), "{rule}: the page (left), the tests (right)");
    }
}

/// Rows of an id, a source, a rule, and tests in back quotes.
fn shown_by_page(page: &str) -> Shown {
    let rows = page.lines().filter_map(|line| {
        let (rule, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        let tests = rest.rsplit(" | ").next()?.trim_end_matches(" |");
        let is_row = rules(rule).contains(rule) && tests.starts_with('`');
        let tests = tests.split(", ").map(|test| test.trim_matches('`').to_owned());
        is_row.then(|| (rule.to_owned(), tests.collect()))
    });
    rows.collect()
}

/// Test functions whose doc comment names rules, by module.
fn shown_by_tests(folder: &Path, module: &str) -> Shown {
    let mut shown = Shown::new();
    for entry in fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let module = match (module, name.as_str()) {
            ("", "api") => String::new(),
            (_, "mod" | "main") => module.to_owned(),
            ("", _) => name,
            (module, _) => format!("{module}::{name}"),
        };
        let found = match path.extension() {
            None if path.is_dir() && module != "ui" => shown_by_tests(&path, &module),
            Some(extension) if extension == "rs" => {
                shown_by_file(&fs::read_to_string(&path).expect("a file of tests"), &module)
            }
            _ => continue,
        };
        for (rule, tests) in found {
            shown.entry(rule).or_default().extend(tests);
        }
    }
    shown
}

fn shown_by_file(text: &str, module: &str) -> Shown {
    let mut shown = Shown::new();
    let mut doc = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push_str(text);
            continue;
        }
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some(name) = function.and_then(|rest| rest.split(['(', '<']).next()) {
            for rule in rules(&doc) {
                shown.entry(rule).or_default().insert(format!("{module}::{name}"));
            }
        }
        let opens_module = line.starts_with("mod ") && line.ends_with('{');
        assert!(!opens_module, "{module}: the tests of `{line}` are not named by their file");
        if !line.starts_with("#[") {
            doc.clear();
        }
    }
    shown
}

/// The rule ids in a text.
fn rules(text: &str) -> BTreeSet<String> {
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    let is_rule = |word: &&str| {
        let mut parts = word.split('-');
        matches!(parts.next(), Some("I" | "R" | "X"))
            && parts.next().is_some_and(|group| group.chars().all(|one| one.is_ascii_uppercase()))
            && parts.next().is_some_and(|number| number.len() == 2 && number.parse::<u8>().is_ok())
            && parts.next().is_none()
    };
    words.filter(is_rule).map(str::to_owned).collect()
}
