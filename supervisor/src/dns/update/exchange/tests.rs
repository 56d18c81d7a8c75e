use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::TSIG;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError, make_tsig_record};

use hickory_proto::rr::{Name, RecordType, TSigResponseContext};

use super::{Key, SignedQuery, UpdateFault};
use handover::Confidential;
use handover::config::{self, TsigKey};

const NOW: u64 = 1_800_000_000;

fn key(secret: &str) -> Key {
    let name = address::Domain::parse("mailstead").unwrap();
    let algorithm = config::TsigAlgorithm::HmacSha256;
    Key::new(&TsigKey { name, algorithm, secret: Confidential::new(secret) }).unwrap()
}

/// A signed query with the state that a server keeps of it.
struct SentQuery {
    key: Key,
    id: u16,
    mac: Vec<u8>,
    query: SignedQuery,
}

fn sent_query() -> SentQuery {
    let key = key("c2VjcmV0");
    let mut query = Message::query();
    query.metadata.op_code = OpCode::Update;
    query.add_query(Query::query(Name::from_ascii("example.org.").unwrap(), RecordType::SOA));
    let id = query.metadata.id;
    let query = SignedQuery::new(query, Some(&key), NOW).unwrap();
    let mac = Message::from_vec(query.octets()).unwrap().signature().unwrap().data.mac.clone();
    SentQuery { key, id, mac, query }
}

impl SentQuery {
    fn answer(&self, code: ResponseCode) -> Message {
        let mut answer = Message::response(self.id, OpCode::Update);
        answer.metadata.response_code = code;
        answer
    }

    fn signed(&self, answer: Message, key: &Key, time: u64) -> Vec<u8> {
        self.with_error(answer, key, time, None)
    }

    fn with_error(&self, mut answer: Message, key: &Key, time: u64, error: Option<TsigError>) -> Vec<u8> {
        let context = TSigResponseContext::new(self.id, time, key.signer().clone(), self.mac.clone(), error);
        let signature = context.sign(&answer.to_vec().unwrap()).unwrap();
        answer.set_signature(signature);
        answer.to_vec().unwrap()
    }

    fn verify(self, octets: &[u8]) -> Result<Message, UpdateFault> {
        self.query.verify(octets)
    }
}

fn unsigned_error(sent: &SentQuery, error: TsigError, other: Vec<u8>) -> Vec<u8> {
    let mut answer = sent.answer(ResponseCode::NotAuth);
    let name = sent.key.signer().signer_name().clone();
    let tsig = TSIG::new(TsigAlgorithm::HmacSha256, NOW, 300, Vec::new(), sent.id, Some(error), other);
    answer.set_signature(Box::new(make_tsig_record(name, tsig)));
    answer.to_vec().unwrap()
}

#[test]
fn a_signed_answer_is_accepted() {
    let sent = sent_query();
    let octets = sent.signed(sent.answer(ResponseCode::NoError), &sent.key, NOW + 5);
    assert!(sent.verify(&octets).is_ok());
}

#[test]
fn an_answer_without_our_signature_is_rejected() {
    let sent = sent_query();
    let octets = sent.answer(ResponseCode::NoError).to_vec().unwrap();
    assert!(matches!(sent.verify(&octets), Err(UpdateFault::Unsigned)));

    let sent = sent_query();
    let other = key("b3RoZXI=");
    let octets = sent.signed(sent.answer(ResponseCode::NoError), &other, NOW);
    assert!(matches!(sent.verify(&octets), Err(UpdateFault::Forged)));

    let sent = sent_query();
    let octets = sent.signed(sent.answer(ResponseCode::NoError), &sent.key, NOW + 10_000);
    assert!(matches!(sent.verify(&octets), Err(UpdateFault::Forged)), "an old answer was accepted");

    let sent = sent_query();
    let mut octets = sent.signed(sent.answer(ResponseCode::NoError), &sent.key, NOW);
    // The code of the answer, in the header's fourth octet.
    octets[3] ^= 3;
    assert!(matches!(sent.verify(&octets), Err(UpdateFault::Forged)));
}

#[test]
fn each_error_of_a_signature_has_its_own_fix() {
    let sent = sent_query();
    let octets = unsigned_error(&sent, TsigError::BadKey, Vec::new());
    let message = sent.verify(&octets).unwrap_err().to_string();
    assert!(message.contains("BADKEY") && message.contains("\"mailstead\""), "{message}");

    let sent = sent_query();
    let octets = unsigned_error(&sent, TsigError::BadSig, Vec::new());
    assert!(sent.verify(&octets).unwrap_err().to_string().contains("BADSIG"));

    let sent = sent_query();
    let theirs = (NOW + 1234).to_be_bytes()[2..].to_vec();
    let octets = unsigned_error(&sent, TsigError::BadTime, theirs);
    let message = sent.verify(&octets).unwrap_err().to_string();
    assert!(message.contains("BADTIME") && message.contains("1234 seconds"), "{message}");

    let sent = sent_query();
    let octets =
        sent.with_error(sent.answer(ResponseCode::NotAuth), &sent.key, NOW, Some(TsigError::BadTime));
    assert!(matches!(sent.verify(&octets), Err(UpdateFault::BadTime(None))));
}

#[test]
fn an_error_is_reported_with_or_without_a_signature() {
    for (code, word) in [
        (ResponseCode::Refused, "REFUSED"),
        (ResponseCode::NotAuth, "NOTAUTH"),
        (ResponseCode::NotImp, "NOTIMP"),
        (ResponseCode::ServFail, "Server Failure"),
    ] {
        let sent = sent_query();
        let octets = sent.signed(sent.answer(code), &sent.key, NOW);
        let message = sent.verify(&octets).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
        let sent = sent_query();
        let octets = sent.answer(code).to_vec().unwrap();
        assert!(sent.verify(&octets).unwrap_err().to_string().contains(word));
    }
}

#[test]
fn a_mismatched_or_malformed_answer_is_rejected() {
    let sent = sent_query();
    let mut answer = sent.answer(ResponseCode::NoError);
    answer.metadata.id = sent.id.wrapping_add(1);
    assert!(matches!(sent.verify(&answer.to_vec().unwrap()), Err(UpdateFault::Malformed(_))));

    let sent = sent_query();
    let mut answer = sent.answer(ResponseCode::NoError);
    answer.metadata.message_type = MessageType::Query;
    assert!(matches!(sent.verify(&answer.to_vec().unwrap()), Err(UpdateFault::Malformed(_))));

    for octets in [&b""[..], b"HTTP/1.1 400 Bad Request", &[0xff; 600]] {
        assert!(matches!(sent_query().verify(octets), Err(UpdateFault::Malformed(_))));
    }
}

#[test]
fn without_a_key_nothing_is_verified() {
    let query = SignedQuery::new(Message::query(), None, NOW).unwrap();
    let answer = Message::response(query.id, OpCode::Update);
    assert!(query.verify(&answer.to_vec().unwrap()).is_ok());
}

#[test]
fn the_secret_is_never_shown() {
    assert!(!format!("{:?}", key("c2VjcmV0")).contains("secret"));
}
