//! Responses to a signed DNS update: one without the key's signature never counts as success, one with it always does.

#![no_main]

use std::net::{Ipv4Addr, SocketAddr};

use handover::Confidential;
use handover::config::{DnsUpdate, TsigAlgorithm, TsigKey};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::tsig;
use hickory_proto::rr::{Name, RecordType, TSigResponseContext, TSigner};
use libfuzzer_sys::fuzz_target;
use supervisor::dns::update::{SignedQuery, Updater};

const ID: u16 = 0x1234;
const NOW: u64 = 1_800_000_000;

fuzz_target!(|octets: &[u8]| {
    let Some((choice, octets)) = octets.split_first() else { return };
    let mut answer = octets.to_vec();
    // An observer of the request knows its ID.
    if let Some(id) = answer.first_chunk_mut() {
        *id = ID.to_be_bytes();
    }
    if choice & 1 == 0 {
        assert!(signed_query().verify(&answer).is_err(), "a response without the key was accepted");
        return;
    }
    let Ok(mut answer) = Message::from_vec(&answer) else { return };
    answer.metadata.message_type = MessageType::Response;
    answer.take_signature();
    let Ok(plain) = answer.to_vec() else { return };
    let query = signed_query();
    let request = Message::from_vec(query.octets()).expect("it is ours");
    let mac = request.signature().expect("it is signed").data.mac.clone();
    let signer = TSigner::new(b"secret".to_vec(), tsig::TsigAlgorithm::HmacSha256, key_name(), 300);
    let context = TSigResponseContext::new(ID, NOW, signer.expect("it is a key"), mac, None);
    let Ok(signature) = context.sign(&plain) else { return };
    answer.set_signature(signature);
    let Ok(signed) = answer.to_vec() else { return };
    let code = answer.metadata.response_code;
    let is_good = matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    assert_eq!(query.verify(&signed).is_ok(), is_good, "{code}");
});

fn key_name() -> Name {
    Name::from_ascii("mailstead.").expect("it is a name")
}

fn signed_query() -> SignedQuery {
    let settings = DnsUpdate {
        server: SocketAddr::from((Ipv4Addr::LOCALHOST, 53)),
        key: Some(TsigKey {
            name: "mailstead".parse().expect("it is a name"),
            algorithm: TsigAlgorithm::HmacSha256,
            secret: Confidential::new("c2VjcmV0"),
        }),
    };
    let mut message = Message::query();
    message.metadata.id = ID;
    message.metadata.op_code = OpCode::Update;
    message.add_query(Query::query(Name::from_ascii("example.org.").expect("a name"), RecordType::SOA));
    let updater = Updater::new(&settings).expect("it is a key");
    updater.sign(message, NOW).expect("it can be signed")
}
