use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use zeroize::Zeroizing;

use crate::error::BoxError;

/// The body of an answer: one piece, or nothing.
#[derive(Debug, Default)]
pub struct Body(Full<Bytes>);

impl Body {
    pub(super) fn new(text: impl Into<Bytes>) -> Self {
        Self(Full::new(text.into()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The most bytes of the body of a request.
const MAX_BODY: usize = 16 * 1024;

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    OtherType,
    TooLarge,
    Broken,
}

impl Unreadable {
    /// A stable name for operators.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::OtherType => "other_media_type",
            Self::TooLarge => "body_too_large",
            Self::Broken => "malformed_body",
        }
    }
}

/// Reads a body of this media type as text; stops where it is too large.
pub(super) async fn read<B>(
    headers: &HeaderMap,
    media_type: &str,
    body: B,
) -> Result<Zeroizing<String>, Unreadable>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    if !is_of_type(headers, media_type) {
        return Err(Unreadable::OtherType);
    }
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(Unreadable::TooLarge);
    }
    let body = Box::pin(Limited::new(body, MAX_BODY)).collect().await;
    let bytes = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Unreadable::TooLarge,
        false => Unreadable::Broken,
    })?;
    let text = String::from_utf8(bytes.to_bytes().into());
    text.map(Zeroizing::new).map_err(|_| Unreadable::Broken)
}

/// Whether the one line says so, whatever its parameters say.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let essence = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes())
}
