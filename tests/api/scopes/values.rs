//! `ScopeToken`, `ScopeSet`, `Requirement` and the types of `scopes!`, without a token.

use tower_bearer::{
    scope,
    scope::{AnyOf, Requirement, ScopeError, ScopeSet, ScopeToken, Scopes},
};

/// R-SCOPE-02, R-SCOPE-09: 1*NQCHAR, with every character up to U+00FF and a few beyond.
#[test]
fn a_scope_token_has_the_characters_of_rfc_6749_only() {
    let others = ['\u{100}', '\u{2028}', '\u{fffd}', '\u{1f600}'];
    for character in (0..=0xff_u8).map(char::from).chain(others) {
        let allowed = matches!(character, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        for text in [character.to_string(), format!("a{character}"), format!("{character}z")] {
            let token = ScopeToken::new(&text);
            assert_eq!(token.is_ok(), allowed, "{text:?}");
            match token {
                Ok(token) => {
                    assert_eq!((token.as_str(), token.to_string()), (&*text, text.clone()))
                }
                Err(error) => assert_eq!(error, ScopeError::InvalidToken { token: text }),
            }
        }
    }
    assert!(ScopeToken::new("").is_err());
}

/// R-SCOPE-09
#[test]
fn a_bad_scope_is_named_in_the_error_with_the_remedy() {
    let error = "a b".parse::<ScopeToken>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""a b" is no scope token: one or more printable ASCII characters without space, `"` and `\`"#
    );
    let error = ScopeSet::parse("good b\tad also\"bad").unwrap_err();
    assert_eq!(error, ScopeError::InvalidToken { token: "b\tad".to_owned() });
}

/// R-SCOPE-04: however it was made, a token is its text, byte for byte.
#[test]
fn scope_tokens_are_equal_if_their_texts_are() {
    let (fixed, read) = (scope!("reports:read"), ScopeToken::new("reports:read").unwrap());
    assert_eq!(fixed, read);
    assert_eq!(fixed.cmp(&read), std::cmp::Ordering::Equal);
    assert_eq!([fixed, read].into_iter().collect::<std::collections::HashSet<_>>().len(), 1);
    assert_ne!(scope!("reports:read"), scope!("Reports:read"));
    assert!(scope!("a") < scope!("b"));
}

/// R-SCOPE-02
#[test]
fn a_set_is_split_at_spaces_only_and_has_neither_order_nor_repeats() {
    for (text, expected) in [
        ("", &[][..]),
        (" ", &[]),
        ("     ", &[]),
        ("a", &["a"]),
        ("a b", &["a", "b"]),
        ("b a", &["a", "b"]),
        ("a  b", &["a", "b"]),
        ("  a   b ", &["a", "b"]),
        ("a a a", &["a"]),
        ("b a b a", &["a", "b"]),
        ("a,b a;b", &["a,b", "a;b"]),
        ("read Read READ", &["READ", "Read", "read"]),
        ("a ab abc", &["a", "ab", "abc"]),
    ] {
        let set = ScopeSet::parse(text).expect(text);
        assert_eq!(set.iter().collect::<Vec<_>>(), expected, "{text:?}");
        assert_eq!(set.len(), expected.len(), "{text:?}");
        assert_eq!(set.is_empty(), expected.is_empty(), "{text:?}");
        assert_eq!(set.to_string(), expected.join(" "), "{text:?}");
        assert_eq!(text.parse::<ScopeSet>().as_ref(), Ok(&set), "{text:?}");
    }
    for text in
        ["a\tb", "a\nb", "a\r\nb", "a\u{a0}b", "a\u{3000}b", "a\"b", "a\\b", "a\u{7f}", "\0"]
    {
        assert!(ScopeSet::parse(text).is_err(), "{text:?}");
    }
}

/// R-SCOPE-02: eight scopes are kept without an allocation, more are not; nobody must notice.
#[test]
fn a_set_holds_any_number_of_scopes() {
    for count in [7, 8, 9, 10, 31, 32, 33, 1000] {
        let names: Vec<_> = (0..count).map(|number| format!("scope:{number:04}")).collect();
        let backwards: Vec<_> = names.iter().rev().map(String::as_str).collect();
        let doubled = format!("{0} {0}", backwards.join("  "));
        let set = ScopeSet::parse(&doubled).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), names, "{count}");
        assert!(names.iter().all(|name| set.contains(name)), "{count}");
        assert!(!set.contains(format!("scope:{count:04}")), "{count}");
        assert!(!set.contains("scope:") && !set.contains(""), "{count}");

        let tokens: Vec<_> = names.iter().map(|name| ScopeToken::new(name).unwrap()).collect();
        assert_eq!(tokens.iter().rev().collect::<ScopeSet>(), set, "{count}");
        assert_eq!(tokens.into_iter().collect::<ScopeSet>(), set, "{count}");
    }
}

/// R-SCOPE-04
#[test]
fn a_scope_is_found_by_its_exact_name_only() {
    let set = ScopeSet::parse("read:all Read reads write").unwrap();
    for other in ["read", "read:", "read:*", "WRITE", "write ", " write", "read:all Read", ""] {
        assert!(!set.contains(other), "{other:?}");
    }
    assert!(set.contains("write") && set.contains("Read"));
    assert!(set.is_superset(&ScopeSet::parse("write").unwrap()));
    assert!(set.is_superset(&ScopeSet::empty()));
    assert!(!set.is_superset(&ScopeSet::parse("write read").unwrap()));
    assert_eq!(ScopeSet::default(), ScopeSet::parse(" ").unwrap());
    assert_eq!(format!("{set:?}"), r#"{"Read", "read:all", "reads", "write"}"#);
}

/// R-SCOPE-07, R-SCOPE-10, R-CHAL-09
#[test]
fn a_requirement_is_met_and_named_as_it_was_declared() {
    let all = || Requirement::all([scope!("b"), scope!("c")]);
    let denied = || Requirement::all([Requirement::deny(), scope!("a").into()]);
    for (need, challenge, met_by, not_met_by) in [
        (Requirement::from(scope!("a")), "a", &["a", "a b"][..], &["", "b", "A"][..]),
        (all(), "b c", &["b c", "a b c"], &["", "b", "c", "a"]),
        (Requirement::all([scope!("z"), scope!("a")]), "z a", &["a z"], &["a", "z"]),
        (Requirement::all([scope!("a"), scope!("a")]), "a", &["a"], &[""]),
        (Requirement::any([scope!("b"), scope!("a")]), "b", &["a", "b"], &["", "c"]),
        (Requirement::any([scope!("a").into(), all()]), "a", &["a", "b c"], &["b", "c", ""]),
        (Requirement::any([all(), scope!("a").into()]), "b c", &["a", "b c"], &["b", "c", ""]),
        (Requirement::all([all(), scope!("a").into()]), "b c a", &["a b c"], &["b c", "a b"]),
        (
            Requirement::all([Requirement::any([scope!("a"), scope!("b")]), all()]),
            "a b c",
            &["b c", "a b c"],
            &["a", "a b", "c"],
        ),
        (Requirement::authenticated(), "", &["", "a"], &[]),
        (Requirement::all([Requirement::authenticated(), scope!("a").into()]), "a", &["a"], &[""]),
        (Requirement::any([Requirement::authenticated(), scope!("a").into()]), "", &["", "a"], &[]),
        (Requirement::deny(), "", &[], &["", "a"]),
        (Requirement::default(), "", &[], &["", "a"]),
        (Requirement::any([Requirement::deny(), scope!("a").into()]), "a", &["a"], &["", "b"]),
        // No scope would help, so none is named.
        (denied(), "", &[], &["", "a"]),
        (Requirement::any([denied(), scope!("b").into()]), "b", &["b"], &["", "a"]),
        (Requirement::all([scope!("b").into(), denied()]), "", &[], &["", "a b"]),
    ] {
        assert_eq!(need.challenge_scope(), challenge, "{need:?}");
        let is_met_by = |text: &&str| need.is_met_by(&ScopeSet::parse(text).unwrap());
        for text in met_by {
            assert!(is_met_by(text), "{need:?} by {text:?}");
        }
        for text in not_met_by {
            assert!(!is_met_by(text), "{need:?} by {text:?}");
        }
    }
}

/// R-SCOPE-07, R-SCOPE-10
#[test]
fn a_requirement_is_read_from_text() {
    for (text, same) in [
        ("a", Requirement::try_all([scope!("a")]).unwrap()),
        ("  a ", Requirement::all([scope!("a")])),
        ("a b", Requirement::all([scope!("a"), scope!("b")])),
        ("b  a", Requirement::all([scope!("b"), scope!("a")])),
        (
            "a | b",
            Requirement::any([Requirement::all([scope!("a")]), Requirement::all([scope!("b")])]),
        ),
        (
            "a b|c|d  e",
            Requirement::any([
                Requirement::all([scope!("a"), scope!("b")]),
                Requirement::all([scope!("c")]),
                Requirement::all([scope!("d"), scope!("e")]),
            ]),
        ),
    ] {
        assert_eq!(Requirement::parse(text), Ok(same.clone()), "{text:?}");
        assert_eq!(text.parse(), Ok(same), "{text:?}");
    }
    for empty in ["", " ", "|", "a|", "|a", "a||b", "a | | b", " | "] {
        assert_eq!(Requirement::parse(empty), Err(ScopeError::EmptyRequirement), "{empty:?}");
    }
    for (bad, token) in
        [("a\tb", "a\tb"), ("a \"b\"", "\"b\""), ("a|b\\", "b\\"), ("\u{e9}", "\u{e9}")]
    {
        let error = ScopeError::InvalidToken { token: token.to_owned() };
        assert_eq!(Requirement::parse(bad), Err(error), "{bad:?}");
    }
}

/// R-SCOPE-10: what is no compile error is an error of the constructor.
#[test]
fn an_empty_requirement_is_an_error_that_names_the_remedy() {
    let none: [ScopeToken; 0] = [];
    for made in [Requirement::try_all(none.clone()), Requirement::try_any(none)] {
        assert_eq!(
            made.unwrap_err().to_string(),
            "a requirement needs at least one scope; `Requirement::authenticated()` is satisfied by any verified token"
        );
    }
}

tower_bearer::scopes! {
    /// Documented, and of any visibility.
    pub(crate) Read = "reports:read";
    Write = "reports:write";
    Admin = "admin";
}

/// R-SCOPE-07, R-SCOPE-09: a type and its requirement say the same.
#[test]
fn scopes_as_types_are_met_like_the_requirements_that_they_stand_for() {
    #[track_caller]
    fn check<S: Scopes>(challenge: &str, met_by: &[&str], not_met_by: &[&str]) {
        assert_eq!(S::requirement().challenge_scope(), challenge);
        for (texts, met) in [(met_by, true), (not_met_by, false)] {
            for text in texts {
                let granted = ScopeSet::parse(text).unwrap();
                assert_eq!(S::are_met_by(&granted), met, "{challenge} by {text:?}");
                assert_eq!(S::requirement().is_met_by(&granted), met, "{challenge} by {text:?}");
            }
        }
    }

    check::<Read>("reports:read", &["reports:read", "admin reports:read"], &["", "admin", "read"]);
    check::<(Read,)>("reports:read", &["reports:read"], &["", "reports:write"]);
    check::<(Read, Write)>(
        "reports:read reports:write",
        &["reports:write reports:read"],
        &["", "reports:read", "reports:write"],
    );
    check::<AnyOf<(Read, Admin)>>(
        "reports:read",
        &["reports:read", "admin"],
        &["", "reports:write"],
    );
    check::<AnyOf<((Read, Write), Admin)>>(
        "reports:read reports:write",
        &["admin", "reports:read reports:write"],
        &["", "reports:read"],
    );
    check::<(AnyOf<(Admin, Read)>, Write)>(
        "admin reports:write",
        &["reports:read reports:write", "admin reports:write"],
        &["admin", "reports:write"],
    );
    check::<(Read, Write, Admin, Read, Write, Admin)>(
        "reports:read reports:write admin",
        &["admin reports:read reports:write"],
        &["reports:read reports:write"],
    );
}

#[test]
fn each_of_many_scopes_is_found_and_nothing_else() {
    for count in [1, 8, 9, 64, 65, 1000] {
        let name = |number: usize| format!("resource-{number}:read");
        let scopes: Vec<_> = (0..count).map(name).collect();
        for repeats in [1, 9] {
            let set = ScopeSet::parse(&vec![scopes.join(" "); repeats].join(" ")).unwrap();
            assert_eq!(set.len(), count);
            assert!(scopes.iter().all(|scope| set.contains(scope)));
            assert!(!(count..2 * count).any(|number| set.contains(name(number))));
            assert!(!set.contains("") && !set.contains("resource-0:rea"));
            assert!(set.clone().is_superset(&set));
        }
    }
}
