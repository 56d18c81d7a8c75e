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
struct Asked {
    key: Key,
    id: u16,
    mac: Vec<u8>,
    question: SignedQuery,
}

fn ask() -> Asked {
    let key = key("c2VjcmV0");
    let mut question = Message::query();
    question.metadata.op_code = OpCode::Update;
    question.add_query(Query::query(Name::from_ascii("example.org.").unwrap(), RecordType::SOA));
    let id = question.metadata.id;
    let question = SignedQuery::new(question, Some(&key), NOW).unwrap();
    let mac = Message::from_vec(question.octets()).unwrap().signature().unwrap().data.mac.clone();
    Asked { key, id, mac, question }
}

impl Asked {
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

    fn judge(self, octets: &[u8]) -> Result<Message, UpdateFault> {
        self.question.verify(octets)
    }
}

fn unsigned_error(asked: &Asked, error: TsigError, other: Vec<u8>) -> Vec<u8> {
    let mut answer = asked.answer(ResponseCode::NotAuth);
    let name = asked.key.signer().signer_name().clone();
    let tsig = TSIG::new(TsigAlgorithm::HmacSha256, NOW, 300, Vec::new(), asked.id, Some(error), other);
    answer.set_signature(Box::new(make_tsig_record(name, tsig)));
    answer.to_vec().unwrap()
}

#[test]
fn a_signed_answer_is_accepted() {
    let asked = ask();
    let octets = asked.signed(asked.answer(ResponseCode::NoError), &asked.key, NOW + 5);
    assert!(asked.judge(&octets).is_ok());
}

#[test]
fn an_answer_without_our_signature_is_rejected() {
    let asked = ask();
    let octets = asked.answer(ResponseCode::NoError).to_vec().unwrap();
    assert!(matches!(asked.judge(&octets), Err(UpdateFault::Unsigned)));

    let asked = ask();
    let other = key("b3RoZXI=");
    let octets = asked.signed(asked.answer(ResponseCode::NoError), &other, NOW);
    assert!(matches!(asked.judge(&octets), Err(UpdateFault::Forged)));

    let asked = ask();
    let octets = asked.signed(asked.answer(ResponseCode::NoError), &asked.key, NOW + 10_000);
    assert!(matches!(asked.judge(&octets), Err(UpdateFault::Forged)), "an old answer was accepted");

    let asked = ask();
    let mut octets = asked.signed(asked.answer(ResponseCode::NoError), &asked.key, NOW);
    // The code of the answer, in the header's fourth octet.
    octets[3] ^= 3;
    assert!(matches!(asked.judge(&octets), Err(UpdateFault::Forged)));
}

#[test]
fn each_error_of_a_signature_has_its_own_fix() {
    let asked = ask();
    let octets = unsigned_error(&asked, TsigError::BadKey, Vec::new());
    let said = asked.judge(&octets).unwrap_err().to_string();
    assert!(said.contains("BADKEY") && said.contains("\"mailstead\""), "{said}");

    let asked = ask();
    let octets = unsigned_error(&asked, TsigError::BadSig, Vec::new());
    assert!(asked.judge(&octets).unwrap_err().to_string().contains("BADSIG"));

    let asked = ask();
    let theirs = (NOW + 1234).to_be_bytes()[2..].to_vec();
    let octets = unsigned_error(&asked, TsigError::BadTime, theirs);
    let said = asked.judge(&octets).unwrap_err().to_string();
    assert!(said.contains("BADTIME") && said.contains("1234 seconds"), "{said}");

    let asked = ask();
    let octets =
        asked.with_error(asked.answer(ResponseCode::NotAuth), &asked.key, NOW, Some(TsigError::BadTime));
    assert!(matches!(asked.judge(&octets), Err(UpdateFault::BadTime(None))));
}

#[test]
fn an_error_is_reported_with_or_without_a_signature() {
    for (code, word) in [
        (ResponseCode::Refused, "REFUSED"),
        (ResponseCode::NotAuth, "NOTAUTH"),
        (ResponseCode::NotImp, "NOTIMP"),
        (ResponseCode::ServFail, "Server Failure"),
    ] {
        let asked = ask();
        let octets = asked.signed(asked.answer(code), &asked.key, NOW);
        let said = asked.judge(&octets).unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
        let asked = ask();
        let octets = asked.answer(code).to_vec().unwrap();
        assert!(asked.judge(&octets).unwrap_err().to_string().contains(word));
    }
}

#[test]
fn a_mismatched_or_malformed_answer_is_rejected() {
    let asked = ask();
    let mut answer = asked.answer(ResponseCode::NoError);
    answer.metadata.id = asked.id.wrapping_add(1);
    assert!(matches!(asked.judge(&answer.to_vec().unwrap()), Err(UpdateFault::Malformed(_))));

    let asked = ask();
    let mut answer = asked.answer(ResponseCode::NoError);
    answer.metadata.message_type = MessageType::Query;
    assert!(matches!(asked.judge(&answer.to_vec().unwrap()), Err(UpdateFault::Malformed(_))));

    for octets in [&b""[..], b"HTTP/1.1 400 Bad Request", &[0xff; 600]] {
        assert!(matches!(ask().judge(octets), Err(UpdateFault::Malformed(_))));
    }
}

#[test]
fn without_a_key_nothing_is_verified() {
    let question = SignedQuery::new(Message::query(), None, NOW).unwrap();
    let answer = Message::response(question.id, OpCode::Update);
    assert!(question.verify(&answer.to_vec().unwrap()).is_ok());
}

#[test]
fn the_secret_is_never_shown() {
    assert!(!format!("{:?}", key("c2VjcmV0")).contains("secret"));
}
