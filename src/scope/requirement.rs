use std::{fmt, sync::Arc};

use super::{
    set::ScopeSet,
    token::{ScopeError, ScopeToken},
};
use crate::error::{AuthError, AuthErrorKind};

/// What a guard demands of the granted scopes: a tree of *all of* and *any of*.
///
/// There is no negation, so granting more never denies. The default denies everything. Cheap to
/// clone. See the [module docs](mod@crate::scope) for an example.
#[derive(Clone, PartialEq, Eq)]
pub struct Requirement {
    node: Arc<Node>,
    challenge: Arc<str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Node {
    Deny,
    Authenticated,
    Scope(ScopeToken),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
}

impl Requirement {
    /// Satisfied by any verified token, whatever its scopes.
    #[must_use]
    pub fn authenticated() -> Self {
        Self::new(Node::Authenticated)
    }

    /// Never satisfied; the default.
    #[must_use]
    pub fn deny() -> Self {
        Self::new(Node::Deny)
    }

    /// Satisfied if all parts are: scopes or other requirements.
    ///
    /// An empty list is a compile error, as nobody means "always".
    ///
    /// ```compile_fail
    /// use tower_bearer::scope::{Requirement, ScopeToken};
    ///
    /// let none: [ScopeToken; 0] = [];
    /// let need = Requirement::all(none);
    /// ```
    #[must_use]
    pub fn all<T: Into<Self>, const N: usize>(parts: [T; N]) -> Self {
        const { assert!(N > 0, "a requirement needs at least one scope") };
        Self::new(Node::All(parts.into_iter().map(Into::into).collect()))
    }

    /// Satisfied if at least one part is: scopes or other requirements.
    ///
    /// The challenge of a refusal names what the *first* part needs (RFC 6750 section 3.1 knows no
    /// alternatives). An empty list is a compile error.
    ///
    /// ```compile_fail
    /// use tower_bearer::scope::{Requirement, ScopeToken};
    ///
    /// let none: [ScopeToken; 0] = [];
    /// let need = Requirement::any(none);
    /// ```
    #[must_use]
    pub fn any<T: Into<Self>, const N: usize>(parts: [T; N]) -> Self {
        const { assert!(N > 0, "a requirement needs at least one scope") };
        Self::new(Node::Any(parts.into_iter().map(Into::into).collect()))
    }

    /// [`all`](Self::all) for a list whose length is known at run time only.
    ///
    /// # Errors
    ///
    /// [`ScopeError::EmptyRequirement`] if the list is empty.
    pub fn try_all<T: Into<Self>>(parts: impl IntoIterator<Item = T>) -> Result<Self, ScopeError> {
        Ok(Self::new(Node::All(non_empty(parts)?)))
    }

    /// [`any`](Self::any) for a list whose length is known at run time only.
    ///
    /// # Errors
    ///
    /// [`ScopeError::EmptyRequirement`] if the list is empty.
    pub fn try_any<T: Into<Self>>(parts: impl IntoIterator<Item = T>) -> Result<Self, ScopeError> {
        Ok(Self::new(Node::Any(non_empty(parts)?)))
    }

    /// Reads a requirement from configuration: scopes that are separated by spaces are all needed,
    /// `|` stands between alternatives.
    ///
    /// `|` may stand in a scope token too; such tokens cannot be written in this notation.
    ///
    /// ```
    /// use tower_bearer::scope::{Requirement, ScopeSet};
    ///
    /// let need = Requirement::parse("reports:read tenant:all | reports:admin")?;
    /// assert!(need.is_met_by(&ScopeSet::parse("reports:admin")?));
    /// assert!(!need.is_met_by(&ScopeSet::parse("reports:read")?));
    /// assert!(Requirement::parse("  ").is_err());
    /// # Ok::<(), tower_bearer::scope::ScopeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if an alternative is empty or a part is no scope token.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let alternative = |text: &str| {
            let scopes = text.split(' ').filter(|part| !part.is_empty()).map(ScopeToken::new);
            Self::try_all(scopes.collect::<Result<Vec<_>, _>>()?)
        };
        let mut alternatives = text.split('|').map(alternative).collect::<Result<Vec<_>, _>>()?;
        match alternatives.len() {
            1 => Ok(alternatives.remove(0)),
            _ => Self::try_any(alternatives),
        }
    }

    /// Whether these scopes satisfy the requirement.
    #[must_use]
    pub fn is_met_by(&self, granted: &ScopeSet) -> bool {
        match &*self.node {
            Node::Deny => false,
            Node::Authenticated => true,
            Node::Scope(scope) => granted.contains(scope),
            Node::All(parts) => parts.iter().all(|part| part.is_met_by(granted)),
            Node::Any(parts) => parts.iter().any(|part| part.is_met_by(granted)),
        }
    }

    /// The scopes to name in the challenge of a refusal, in declared order and separated by
    /// spaces: all that an *all of* needs, and of *any of* what its first part needs that can be
    /// satisfied at all. Empty if no scope would help.
    #[must_use]
    pub fn challenge_scope(&self) -> &str {
        &self.challenge
    }

    /// The refusal of a token whose scopes do not satisfy the requirement.
    pub(crate) fn refusal(&self) -> AuthError {
        if self.challenge.is_empty() {
            AuthError::new(AuthErrorKind::PolicyDenied)
        } else {
            AuthError::insufficient_scope(Arc::clone(&self.challenge))
        }
    }

    fn new(node: Node) -> Self {
        let mut named: Vec<&str> = Vec::new();
        if node.can_be_met() {
            node.name_scopes(&mut named);
        }
        let challenge = named.join(" ").into();
        Self { node: Arc::new(node), challenge }
    }
}

impl Node {
    /// Whether there are scopes that satisfy it.
    fn can_be_met(&self) -> bool {
        match self {
            Self::Deny => false,
            Self::Authenticated | Self::Scope(_) => true,
            Self::All(parts) => parts.iter().all(|part| part.node.can_be_met()),
            Self::Any(parts) => parts.iter().any(|part| part.node.can_be_met()),
        }
    }

    /// Names what satisfies it, given that something does.
    fn name_scopes<'a>(&'a self, named: &mut Vec<&'a str>) {
        match self {
            Self::Deny | Self::Authenticated => {}
            Self::Scope(scope) => {
                if !named.contains(&scope.as_str()) {
                    named.push(scope.as_str());
                }
            }
            Self::All(parts) => parts.iter().for_each(|part| part.node.name_scopes(named)),
            Self::Any(parts) => {
                let first = parts.iter().find(|part| part.node.can_be_met());
                first.into_iter().for_each(|part| part.node.name_scopes(named));
            }
        }
    }
}

impl Default for Requirement {
    fn default() -> Self {
        Self::deny()
    }
}

impl From<ScopeToken> for Requirement {
    fn from(scope: ScopeToken) -> Self {
        Self::new(Node::Scope(scope))
    }
}

impl From<&ScopeToken> for Requirement {
    fn from(scope: &ScopeToken) -> Self {
        scope.clone().into()
    }
}

impl std::str::FromStr for Requirement {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

fn non_empty<T: Into<Requirement>>(
    parts: impl IntoIterator<Item = T>,
) -> Result<Vec<Requirement>, ScopeError> {
    let parts: Vec<_> = parts.into_iter().map(Into::into).collect();
    if parts.is_empty() { Err(ScopeError::EmptyRequirement) } else { Ok(parts) }
}
