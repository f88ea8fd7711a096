//! What a client that asks for transactions gets while they are not served: an error that ends its
//! attempt at once, and a line in the log that says why.
//!
//! Called by the handlers of FindCoordinator and of InitProducerId. Every other API of transactions
//! comes after these two.

use gofka_core::error::ErrorCode;

use super::RequestContext;

/// Java's producer tries again after every code that may pass, and librdkafka after all but this
/// one and CLUSTER_AUTHORIZATION_FAILED, each until its time is over.
pub(super) const CODE: ErrorCode = ErrorCode::TransactionalIdAuthorizationFailed;

/// Said where the answer has room for it.
pub(super) const MESSAGE: &str = "Transactions are not served yet.";

/// Logs who asked, and gives the code to answer with.
pub(super) fn refuse(context: &RequestContext) -> ErrorCode {
    let client = context.client_shown();
    context.broker.hints.say(
        context.now.monotonic,
        context.peer(),
        format_args!("transactions are not served yet; client {client:?} asked for one"),
    );
    CODE
}
