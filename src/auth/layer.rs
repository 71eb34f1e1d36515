use std::{fmt, time::Duration};

use http::HeaderValue;
use tower_layer::Layer;

use super::{
    response::EmptyBody,
    service::AuthService,
    settings::{IsSecure, Settings},
};
use crate::{
    authenticate::Authenticate,
    challenge::Challenges,
    error::ConfigError,
    event::{OnEvent, Sink},
    lanes::Spread,
    token::{BearerHeader, RequestHead},
};

/// Lets requests through whose token is verified.
///
/// The inner service must be `Clone`, for what it reserves when it gets ready must be given back if
/// a request is refused; `tower::util::BoxCloneService` or `tower::buffer::Buffer` makes any service
/// so. See the [module docs](crate::auth) for an example.
#[must_use]
pub struct AuthLayer<A, F = BearerHeader, R = EmptyBody> {
    settings: Spread<Settings<A, F, R>>,
}

impl<A: Authenticate> AuthLayer<A> {
    /// A layer with the defaults: the `Authorization` header, the realm `api`, empty bodies,
    /// authentication required.
    pub fn new(authenticate: A) -> Self {
        let builder = Self::builder(authenticate);
        let challenges = Challenges::of_default_realm();
        builder.with_challenges(challenges, HeaderValue::from(AuthLayerBuilder::<A>::RETRY_AFTER))
    }

    /// Describes a layer.
    pub fn builder(authenticate: A) -> AuthLayerBuilder<A> {
        AuthLayerBuilder::new(authenticate)
    }
}

impl<S, A, F, R> Layer<S> for AuthLayer<A, F, R> {
    type Service = AuthService<S, A, F, R>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService::new(inner, self.settings.clone())
    }
}

impl<A, F, R> Clone for AuthLayer<A, F, R> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone() }
    }
}

impl<A: fmt::Debug, F, R> fmt::Debug for AuthLayer<A, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("authenticate", &self.settings.reference().authenticate)
            .finish_non_exhaustive()
    }
}

/// Describes an [`AuthLayer`].
///
/// ```
/// use tower_bearer::{AuthLayer, auth::ProblemJson, test_util::TestIssuer};
///
/// let verifier = TestIssuer::new().verifier();
/// let layer = AuthLayer::builder(verifier.clone())
///     .realm("reports")
///     .resource_metadata("https://api.example.com/.well-known/oauth-protected-resource")
///     .respond_with(ProblemJson)
///     .build()?;
///
/// assert!(AuthLayer::builder(verifier).realm("two\nlines").build().is_err());
/// # let _ = layer;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct AuthLayerBuilder<A, F = BearerHeader, R = EmptyBody> {
    authenticate: A,
    finder: F,
    responder: R,
    options: Options,
}

/// What does not depend on the types of a layer.
struct Options {
    realm: String,
    metadata: Option<String>,
    retry_after: Duration,
    events: Sink,
    optional: bool,
    echo: bool,
    is_secure: Option<Box<IsSecure>>,
}

impl<A: Authenticate> AuthLayerBuilder<A> {
    /// Seconds after which a client may come back if no keys are at hand.
    const RETRY_AFTER: u64 = 5;

    fn new(authenticate: A) -> Self {
        let options = Options {
            realm: "api".to_owned(),
            metadata: None,
            retry_after: Duration::from_secs(Self::RETRY_AFTER),
            events: authenticate.events().0,
            optional: false,
            echo: false,
            is_secure: None,
        };
        Self { authenticate, finder: BearerHeader, responder: EmptyBody, options }
    }
}

impl<A, F, R> AuthLayerBuilder<A, F, R> {
    /// The protection space that challenges name (RFC 9110 section 11.5): printable ASCII; `api`
    /// unless said otherwise.
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.with(|options| options.realm = realm.into())
    }

    /// The https URL of this service's metadata, named in every challenge (RFC 9728 section 5.1).
    pub fn resource_metadata(self, url: impl Into<String>) -> Self {
        self.with(|options| options.metadata = Some(url.into()))
    }

    /// When clients may come back while no keys are at hand, in whole seconds: 5 s unless said
    /// otherwise.
    pub fn retry_after(self, after: Duration) -> Self {
        self.with(|options| options.retry_after = after)
    }

    /// Lets requests without credentials through, as [anonymous](crate::AuthContext::anonymous).
    /// Bad credentials are refused all the same.
    pub fn optional(self) -> Self {
        self.with(|options| options.optional = true)
    }

    /// Puts the [`AuthContext`](crate::AuthContext) into the extensions of the responses to requests
    /// that are let through, so that layers outside this one, such as an access log, can tell the
    /// caller.
    pub fn echo_caller(self) -> Self {
        self.with(|options| options.echo = true)
    }

    /// Refuses requests that did not come over TLS, with 400 and no redirect (RFC 6750 section
    /// 5.3).
    ///
    /// The function must only trust what a client cannot send by itself: what the server put into
    /// the extensions, or a header of a proxy that always replaces the client's.
    pub fn require_https(
        self,
        is_secure: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(|options| options.is_secure = Some(Box::new(is_secure)))
    }

    /// Where the events of this layer go, instead of the verifier's sink.
    pub fn on_event(self, sink: impl OnEvent) -> Self {
        self.with(|options| options.events = Sink::new(sink))
    }

    /// Finds the token in another way; [`BearerHeader`] unless said otherwise.
    pub fn find_token<G>(self, finder: G) -> AuthLayerBuilder<A, G, R> {
        let Self { authenticate, responder, options, .. } = self;
        AuthLayerBuilder { authenticate, finder, responder, options }
    }

    /// Answers refusals in another form; [`EmptyBody`] unless said otherwise.
    pub fn respond_with<T>(self, responder: T) -> AuthLayerBuilder<A, F, T> {
        let Self { authenticate, finder, options, .. } = self;
        AuthLayerBuilder { authenticate, finder, responder, options }
    }

    fn with(mut self, set: impl FnOnce(&mut Options)) -> Self {
        set(&mut self.options);
        self
    }

    /// Checks the description.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidChallengeValue`] if the realm or the metadata URL cannot stand in a
    /// challenge, [`ConfigError::FractionOfSecond`] if `retry_after` has one.
    pub fn build(self) -> Result<AuthLayer<A, F, R>, ConfigError> {
        let challenges = Challenges::new(&self.options.realm, self.options.metadata.as_deref())?;
        let retry_after = ConfigError::whole_seconds("retry_after", self.options.retry_after)?;
        let retry_after = HeaderValue::from(retry_after);
        Ok(self.with_challenges(challenges, retry_after))
    }

    fn with_challenges(
        self,
        challenges: Challenges,
        retry_after: HeaderValue,
    ) -> AuthLayer<A, F, R> {
        let settings = Settings {
            authenticate: self.authenticate,
            finder: self.finder,
            responder: self.responder,
            challenges,
            retry_after,
            events: self.options.events,
            optional: self.options.optional,
            echo: self.options.echo,
            is_secure: self.options.is_secure,
        };
        AuthLayer { settings: Spread::new(settings) }
    }
}

impl<A: fmt::Debug, F, R> fmt::Debug for AuthLayerBuilder<A, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayerBuilder")
            .field("authenticate", &self.authenticate)
            .field("realm", &self.options.realm)
            .field("optional", &self.options.optional)
            .finish_non_exhaustive()
    }
}
