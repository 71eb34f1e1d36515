use std::collections::{BTreeMap, BTreeSet};

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
        let mut direct = BTreeMap::<_, Vec<_>>::new();
        for (from, implied) in rules {
            direct.entry(from).or_default().extend(implied);
        }
        let closed = direct.iter().map(|(from, implied)| {
            let mut reached = BTreeSet::new();
            let mut open = implied.clone();
            while let Some(scope) = open.pop() {
                if reached.insert(scope) {
                    open.extend(direct.get(scope).into_iter().flatten());
                }
            }
            (ScopeToken::clone(from), reached.into_iter().cloned().collect())
        });
        Self { closed: closed.collect() }
    }

    /// All that these scopes stand for, or nothing if that is what is granted already.
    pub(crate) fn expand(&self, granted: &ScopeSet) -> Option<ScopeSet> {
        if self.closed.is_empty() {
            return None;
        }
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
