use std::{fmt, sync::Arc};

/// The issuers of one provider with many tenants, each with an identifier of its own made by one
/// template, and all with the same keys.
#[derive(Clone)]
pub(crate) struct Tenants {
    prefix: Box<str>,
    suffix: Box<str>,
    are_ours: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Tenants {
    /// What stands for the tenant in a template.
    pub(crate) const PLACEHOLDER: &str = "{tenantid}";
    /// The most bytes that the name of a tenant may have.
    const MAX_TENANT: usize = 128;

    /// Nothing unless the template has exactly one placeholder, with text before it.
    pub(crate) fn new(
        template: &str,
        are_ours: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    ) -> Option<Self> {
        let (prefix, suffix) = template.split_once(Self::PLACEHOLDER)?;
        let is_sound = !prefix.is_empty() && !suffix.contains(Self::PLACEHOLDER);
        is_sound.then(|| Self { prefix: prefix.into(), suffix: suffix.into(), are_ours })
    }

    /// Whether the identifier follows the template and its tenant is one of ours. The name of a
    /// tenant is plain, so that no part of the template can be imitated.
    pub(super) fn take(&self, issuer: &str) -> bool {
        let rest = issuer.strip_prefix(&*self.prefix);
        let tenant = rest.and_then(|rest| rest.strip_suffix(&*self.suffix)).unwrap_or_default();
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=Self::MAX_TENANT).contains(&tenant.len())
            && tenant.bytes().all(is_plain)
            && (self.are_ours)(tenant)
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.prefix, Self::PLACEHOLDER, self.suffix)
    }
}
