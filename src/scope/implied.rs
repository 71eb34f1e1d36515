use std::collections::BTreeMap;

use super::{set::ScopeSet, token::ScopeToken};

/// The explicit table of which scope implies which others, closed under repetition.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImpliedScopes {
    closed: BTreeMap<ScopeToken, Vec<ScopeToken>>,
}

impl ImpliedScopes {
    /// Closes the table: if `a` implies `b` and `b` implies `c`, then `a` implies both. Cycles do
    /// no harm.
    pub(crate) fn new(rules: &[(ScopeToken, Vec<ScopeToken>)]) -> Self {
        let direct = |scope: &ScopeToken| {
            let rules = rules.iter().filter(move |(from, _)| from == scope).cloned();
            rules.flat_map(|(_, implied)| implied).collect::<Vec<_>>()
        };
        let mut closed = BTreeMap::new();
        for (from, _) in rules {
            let mut reached = Vec::new();
            let mut open = direct(from);
            while let Some(scope) = open.pop() {
                if !reached.contains(&scope) {
                    open.extend(direct(&scope));
                    reached.push(scope);
                }
            }
            closed.insert(from.clone(), reached);
        }
        Self { closed }
    }

    /// All that these scopes stand for, or nothing if that is what is granted already.
    pub(crate) fn expand(&self, granted: &ScopeSet) -> Option<ScopeSet> {
        let mut implied = self
            .closed
            .iter()
            .filter(|(from, _)| granted.contains(from))
            .flat_map(|(_, implied)| implied)
            .peekable();
        implied.peek()?;
        // Scopes of a set are scope tokens, so none is lost here.
        let own: Vec<_> = granted.iter().filter_map(|scope| ScopeToken::new(scope).ok()).collect();
        Some(own.iter().chain(implied).collect())
    }
}
