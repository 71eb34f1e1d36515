//! A service that was polled ready may have reserved something for the next request, such as a
//! permit of a concurrency limit.

/// Takes the service that was polled ready, which is the one to call, and leaves a clone behind:
/// <https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services>.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let clone = service.clone();
    std::mem::replace(service, clone)
}

/// Lets go of what the service reserved. A request that is refused never calls it, so that it would
/// hold on to that until the next request.
pub(crate) fn release<S: Clone>(service: &mut S) {
    drop(take_ready(service));
}
