//! InitProducerId (22), versions 0-5: gives an idempotent producer its id (KIP-98).
//!
//! Behaviour: without a transactional id every call gets a fresh id and epoch 0, whatever the
//! request says it had. With one, a transaction coordinator would be asked; none is served yet, so
//! it is refused as by FindCoordinator, and an empty transactional id is INVALID_REQUEST.
//!
//! Version notes: 2 flexible, 3 the producer's former id and epoch (KIP-360), 4 PRODUCER_FENCED
//! (KIP-588), 5 TRANSACTION_ABORTABLE (KIP-890). Version 6 is unstable in Kafka and not served.

use gofka_core::error::ErrorCode;
use gofka_core::ids::{ProducerEpoch, ProducerId};
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};

use super::{Api, Outcome, RequestContext, no_transactions};

/// The row of the table.
pub const API: Api = Api::new::<InitProducerIdRequest>(0, 5);

/// Answers at once, but for one call in a thousand, which asks the controller.
pub async fn handle(context: &RequestContext, request: InitProducerIdRequest) -> Outcome {
    let id = match check(&request) {
        Ok(()) => context.broker.producer_ids.next().await.map_err(|error| error.code),
        Err(no_transactions::CODE) => Err(no_transactions::refuse(context)),
        Err(code) => Err(code),
    };
    let response = answer(id);
    let code = id.err().unwrap_or(ErrorCode::None);
    Outcome::Now(context.reply(&response).with_error(code))
}

fn check(request: &InitProducerIdRequest) -> Result<(), ErrorCode> {
    match &request.transactional_id {
        Some(id) if id.is_empty() => return Err(ErrorCode::InvalidRequest),
        Some(_) => return Err(no_transactions::CODE),
        None => {}
    }
    let no_id = request.producer_id.0 == ProducerId::NONE.0;
    let no_epoch = request.producer_epoch == ProducerEpoch::NONE.0;
    if no_id == no_epoch { Ok(()) } else { Err(ErrorCode::InvalidRequest) }
}

fn answer(id: Result<ProducerId, ErrorCode>) -> InitProducerIdResponse {
    let (code, id, epoch) = match id {
        Ok(id) => (ErrorCode::None, id, ProducerEpoch(0)),
        Err(code) => (code, ProducerId::NONE, ProducerEpoch::NONE),
    };
    InitProducerIdResponse::default()
        .with_error_code(code.code())
        .with_producer_id(id.0.into())
        .with_producer_epoch(epoch.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::messages::TransactionalId;
    use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

    #[test]
    fn what_is_asked_for_decides() {
        let with_id = |id: &'static str| {
            let id = TransactionalId(StrBytes::from_static_str(id));
            InitProducerIdRequest::default().with_transactional_id(Some(id))
        };
        let plain = || InitProducerIdRequest::default().with_transactional_id(None);
        let cases = [
            (plain(), Ok(())),
            (plain().with_producer_id(5.into()).with_producer_epoch(1), Ok(())),
            (plain().with_producer_id(5.into()), Err(ErrorCode::InvalidRequest)),
            (plain().with_producer_epoch(5), Err(ErrorCode::InvalidRequest)),
            (with_id(""), Err(ErrorCode::InvalidRequest)),
            (with_id("t"), Err(no_transactions::CODE)),
        ];
        for (request, expected) in cases {
            assert_eq!(check(&request), expected, "{request:?}");
        }
    }

    #[test]
    fn every_version_carries_the_answer() {
        for version in API.lowest()..=API.highest() {
            for id in [Ok(ProducerId(4_000)), Err(no_transactions::CODE)] {
                let mut bytes = BytesMut::new();
                answer(id).encode(&mut bytes, version).unwrap();
                let read = InitProducerIdResponse::decode(&mut bytes.freeze(), version).unwrap();
                assert_eq!(read.producer_id.0, id.map_or(-1, |id| id.0));
                assert_eq!(read.producer_epoch, if id.is_ok() { 0 } else { -1 });
            }
        }
    }
}
