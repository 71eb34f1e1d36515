//! Verifiers whose keys are fetched, from a web of one page in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use http::{Request, Response};
use tokio::runtime::Runtime;
use tower_bearer::{
    Issuer, Verifier,
    remote_keys::{Fetching, RemoteKeys},
    time::{Clock, SystemClock, UnixTime},
};

use crate::fixture::Claims;

/// The clock of the system, and so many seconds later.
#[derive(Clone, Default)]
struct Later(Arc<AtomicU64>);

impl Clock for Later {
    fn now(&self) -> UnixTime {
        let later = std::time::Duration::from_secs(self.0.load(Ordering::Relaxed));
        SystemClock.now().saturating_add(later)
    }
}

/// A verifier that has its keys, and the runtime that keeps them. With `unknown`, a token whose key is
/// not known, it is fetching them once more, and no answer comes.
pub(crate) fn verifier(
    issuer: Issuer,
    jwks: String,
    unknown: Option<String>,
) -> (Verifier<Claims>, Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let asked = AtomicUsize::new(0);
    let web = move |_: Request<()>| -> Fetching {
        let (document, is_first) = (jwks.clone(), asked.fetch_add(1, Ordering::Relaxed) == 0);
        Box::pin(async move {
            if is_first {
                Ok(Response::new(document.into_bytes()))
            } else {
                std::future::pending().await
            }
        })
    };
    let clock = Later::default();
    let keys = RemoteKeys::new("https://issuer.test/jwks").fetch(web);
    let verifier = Verifier::builder().issuer(issuer.keys(keys)).clock(clock.clone());
    let verifier = verifier.claims::<Claims>().build().expect("a verifier");
    runtime.block_on(verifier.ready()).expect("keys");
    if let Some(token) = unknown {
        clock.0.fetch_add(31, Ordering::Relaxed);
        let waiting = verifier.clone();
        runtime.spawn(async move { waiting.verify(&token).await.map(drop) });
        runtime.block_on(async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        });
    }
    (verifier, runtime)
}
