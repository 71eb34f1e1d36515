//! The JSON bodies of the product's endpoints, read strictly.

use serde::de::MapAccess;
use zeroize::Zeroizing;

use crate::json::{Members, Taken, Unique, within_limits};

/// The members that are known; others are ignored, a repeated one is refused.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) application_name: Option<Zeroizing<String>>,
    pub(super) application_secret: Option<Zeroizing<String>>,
    pub(super) scope: Option<Zeroizing<String>>,
    pub(super) refresh_token: Option<Zeroizing<String>>,
    pub(super) access_token: Option<Zeroizing<String>>,
}

impl Asked {
    /// Nothing if the text is not one JSON object, or a member has the wrong type.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !within_limits(text.as_bytes()) {
            return None;
        }
        Unique::read(text, Self::default()).ok()
    }
}

impl<'de> Members<'de> for Asked {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<Taken, A::Error> {
        let member = match name {
            "applicationName" => &mut self.application_name,
            "applicationSecret" => &mut self.application_secret,
            "scope" => &mut self.scope,
            "refreshToken" => &mut self.refresh_token,
            "accessToken" => &mut self.access_token,
            _ => return Ok(Taken::No),
        };
        // `null` is nothing, as many clients write out what they do not have.
        *member = object.next_value::<Option<String>>()?.map(Zeroizing::new);
        Ok(Taken::Yes)
    }
}
