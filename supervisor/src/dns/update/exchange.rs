use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::TSigVerifier;
use hickory_proto::rr::rdata::TSIG;
use hickory_proto::rr::rdata::tsig::TsigError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fault::UpdateFault;
use super::key::Key;

/// Timeout of an exchange, with its connection. A server that signs its zones at each update needs a moment.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Makes one exchange over TCP: updates are long, and an attacker who is not on the path cannot forge an answer.
pub(super) async fn exchange(server: SocketAddr, query: SignedQuery) -> Result<Message, UpdateFault> {
    let answer = timeout(TIMEOUT, send_and_receive(server, &query.octets))
        .await
        .map_err(|_| UpdateFault::Silent(TIMEOUT.as_secs()))??;
    query.verify(&answer)
}

/// Sends and reads messages, each after two octets of length (RFC 1035 §4.2.2).
async fn send_and_receive(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, UpdateFault> {
    let length = u16::try_from(query.len()).map_err(|_| UpdateFault::TooLong)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(query);
    let mut stream = TcpStream::connect(server).await.map_err(UpdateFault::Unreachable)?;
    stream.write_all(&framed).await.map_err(UpdateFault::Unreachable)?;
    let length = stream.read_u16().await.map_err(UpdateFault::Unreachable)?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await.map_err(UpdateFault::Unreachable)?;
    Ok(answer)
}

/// A query as sent, with all data needed to check the answer.
pub struct SignedQuery {
    octets: Vec<u8>,
    id: u16,
    key: Option<Key>,
    verifier: Option<TSigVerifier>,
    now: u64,
}

impl SignedQuery {
    /// Signs the query with the key, if there is one. `now` is the time of the signature.
    pub(super) fn new(mut message: Message, key: Option<&Key>, now: u64) -> Result<Self, UpdateFault> {
        let id = message.metadata.id;
        let verifier = match key {
            None => None,
            Some(key) => message
                .finalize(key.signer(), now)
                .map_err(|error| UpdateFault::Malformed(error.to_string()))?,
        };
        let octets = message.to_vec().map_err(|_| UpdateFault::TooLong)?;
        Ok(Self { octets, id, key: key.cloned(), verifier, now })
    }

    /// The octets to send.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Checks an answer. An error needs no signature to be believed: nothing was changed, and a forger can only hide
    /// the true reason (RFC 8945 §5.3).
    pub fn verify(self, octets: &[u8]) -> Result<Message, UpdateFault> {
        let answer = Message::from_vec(octets).map_err(|error| UpdateFault::Malformed(error.to_string()))?;
        if answer.metadata.id != self.id || answer.metadata.message_type != MessageType::Response {
            return Err(UpdateFault::Malformed("it answers another query".to_owned()));
        }
        let signature = answer.signature().map(|record| &record.data);
        if let (Some(key), Some(tsig)) = (&self.key, signature)
            && let Some(error) = tsig.error
        {
            return Err(signature_fault(key, tsig, error, self.now));
        }
        let code = answer.metadata.response_code;
        // NXDOMAIN is an answer to a query, and our updates cannot cause it.
        let is_error = !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
        match self.verifier {
            Some(_) if signature.is_none() && is_error => {}
            Some(_) if signature.is_none() => return Err(UpdateFault::Unsigned),
            Some(mut verifier) => {
                verifier.verify(octets).map_err(|_| UpdateFault::Forged)?;
            }
            None => {}
        }
        if is_error { Err(UpdateFault::of_code(code)) } else { Ok(answer) }
    }
}

fn signature_fault(key: &Key, tsig: &TSIG, error: TsigError, now: u64) -> UpdateFault {
    match error {
        TsigError::BadKey => UpdateFault::BadKey(key.name()),
        TsigError::BadSig => UpdateFault::BadSignature(key.name()),
        // RFC 8945 §5.2.3: the server's own time, in 48 bits.
        TsigError::BadTime => UpdateFault::BadTime(
            <[u8; 6]>::try_from(tsig.other.as_slice())
                .ok()
                .map(|octets| octets.iter().fold(0, |time, octet| time << 8 | u64::from(*octet)))
                .map(|time| time.abs_diff(now)),
        ),
        other => UpdateFault::OtherSignatureError(other.into()),
    }
}

#[cfg(test)]
mod tests;
