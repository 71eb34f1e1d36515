//! The algebra of scopes against models that are too simple to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tower_bearer::{
    Algorithm, Verifier,
    scope::{Requirement, ScopeSet, ScopeToken},
    test_util::{FrozenClock, TestIssuer},
};

use crate::support::{NOW, issuer_with};

/// A tree as a requirement is one.
#[derive(Clone, Debug)]
enum Tree {
    Deny,
    Authenticated,
    Scope(String),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Tree {
    fn is_met_by(&self, granted: &BTreeSet<String>) -> bool {
        match self {
            Self::Deny => false,
            Self::Authenticated => true,
            Self::Scope(scope) => granted.contains(scope),
            Self::All(parts) => parts.iter().all(|part| part.is_met_by(granted)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met_by(granted)),
        }
    }

    fn requirement(&self) -> Requirement {
        let parts = |parts: &[Self]| parts.iter().map(Self::requirement).collect::<Vec<_>>();
        match self {
            Self::Deny => Requirement::deny(),
            Self::Authenticated => Requirement::authenticated(),
            Self::Scope(scope) => ScopeToken::new(scope).unwrap().into(),
            Self::All(all) => Requirement::try_all(parts(all)).unwrap(),
            Self::Any(any) => Requirement::try_any(parts(any)).unwrap(),
        }
    }
}

/// Few names, so that sets and requirements meet.
fn name() -> impl Strategy<Value = String> {
    "[a-d]{1,2}"
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 0..14)
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        1 => Just(Tree::Deny),
        1 => Just(Tree::Authenticated),
        8 => name().prop_map(Tree::Scope),
    ];
    leaf.prop_recursive(4, 24, 4, |part| {
        let parts = || prop::collection::vec(part.clone(), 1..4);
        prop_oneof![parts().prop_map(Tree::All), parts().prop_map(Tree::Any)]
    })
}

/// Without files: a failure shows the smallest input, which then becomes a test of its own.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn set(names: &[String]) -> ScopeSet {
    ScopeSet::parse(&names.join(" ")).unwrap()
}

fn model(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

proptest! {
    #![proptest_config(config(256))]

    /// R-SCOPE-07
    #[test]
    fn a_requirement_is_met_as_its_tree_says(tree in tree(), names in names()) {
        let met = tree.requirement().is_met_by(&set(&names));
        prop_assert_eq!(met, tree.is_met_by(&model(&names)));
    }

    /// R-SCOPE-06, R-SCOPE-07: there is no negation.
    #[test]
    fn granting_more_never_denies(tree in tree(), names in names(), more in names()) {
        let need = tree.requirement();
        let both = [names.clone(), more].concat();
        prop_assert!(!need.is_met_by(&set(&names)) || need.is_met_by(&set(&both)));
    }

    /// R-CHAL-09, R-SCOPE-07: whoever brings what the challenge names gets in, and where it names
    /// nothing no scopes decide.
    #[test]
    fn the_scopes_of_the_challenge_satisfy_the_requirement(tree in tree(), names in names()) {
        let need = tree.requirement();
        let named = ScopeSet::parse(need.challenge_scope()).unwrap();
        prop_assert_eq!(named.len(), need.challenge_scope().split_terminator(' ').count());
        if named.is_empty() {
            prop_assert_eq!(need.is_met_by(&ScopeSet::empty()), need.is_met_by(&set(&names)));
        } else {
            prop_assert!(need.is_met_by(&named), "{} for {:?}", named, need);
        }
    }

    /// R-SCOPE-02
    #[test]
    fn a_set_is_a_set_of_strings(left in names(), right in names()) {
        let (ours, theirs) = (set(&left), model(&left));
        prop_assert!(ours.iter().eq(theirs.iter().map(String::as_str)));
        prop_assert_eq!(ours.len(), theirs.len());
        prop_assert_eq!(ours.is_superset(&set(&right)), theirs.is_superset(&model(&right)));
        prop_assert_eq!(ours == set(&right), theirs == model(&right));
        for name in left.iter().chain(&right) {
            prop_assert_eq!(ours.contains(name), theirs.contains(name));
        }
        let tokens: Vec<_> = left.iter().map(|name| ScopeToken::new(name).unwrap()).collect();
        prop_assert_eq!(&tokens.iter().collect::<ScopeSet>(), &ours);
    }

    /// R-SCOPE-02
    #[test]
    fn what_a_set_shows_is_read_as_the_same_set(text in "[ !#-\\[\\]-~]{0,60}") {
        let set = ScopeSet::parse(&text).unwrap();
        prop_assert_eq!(&ScopeSet::parse(&set.to_string()).unwrap(), &set);
        let expected: BTreeSet<_> = text.split(' ').filter(|part| !part.is_empty()).collect();
        prop_assert!(set.iter().eq(expected));
    }

    /// R-SCOPE-02, R-SCOPE-09
    #[test]
    fn any_text_is_read_as_the_characters_say(text in any::<String>()) {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let token = !text.is_empty() && text.bytes().all(allowed);
        prop_assert_eq!(ScopeToken::new(&text).is_ok(), token);
        let scopes = text.bytes().all(|byte| byte == b' ' || allowed(byte));
        prop_assert_eq!(ScopeSet::parse(&text).is_ok(), scopes);
        if let Ok(need) = Requirement::parse(&text) {
            prop_assert!(scopes);
            let first = text.split('|').next().unwrap();
            prop_assert!(need.is_met_by(&ScopeSet::parse(first).unwrap()));
        }
    }
}

proptest! {
    #![proptest_config(config(48))]

    /// R-SCOPE-01, R-SCOPE-04: through a signed token, with a table of implied scopes that may run
    /// in circles.
    #[test]
    fn a_token_allows_what_the_closure_of_its_scopes_does(
        rules in prop::collection::vec((name(), names()), 0..6),
        names in names(),
        tree in tree(),
    ) {
        let issuer = issuer_with(Algorithm::Hs256);
        let token = |name: &String| ScopeToken::new(name).unwrap();
        let trusted = rules.iter().fold(issuer.trusted(), |trusted, (scope, implied)| {
            trusted.implies(token(scope), implied.iter().map(token))
        });
        let verified = verifier(trusted).verify_now(&sign(&issuer, &names)).unwrap();

        prop_assert_eq!(verified.scopes(), &set(&names));
        let table = rules.iter().fold(BTreeMap::<_, Vec<_>>::new(), |mut table, (scope, implied)| {
            table.entry(scope).or_default().extend(implied.clone());
            table
        });
        let mut closure = model(&names);
        loop {
            let implied = closure.iter().flat_map(|scope| table.get(scope)).flatten().cloned();
            let next: BTreeSet<_> = closure.iter().cloned().chain(implied).collect();
            if next == closure {
                break;
            }
            closure = next;
        }
        prop_assert_eq!(verified.allows(&tree.requirement()), tree.is_met_by(&closure));
    }
}

fn verifier(trusted: tower_bearer::Issuer) -> Verifier {
    Verifier::builder().issuer(trusted).clock(FrozenClock::at(NOW)).build().unwrap()
}

fn sign(issuer: &TestIssuer, names: &[String]) -> String {
    issuer.token().scope(&names.join(" ")).sign()
}
