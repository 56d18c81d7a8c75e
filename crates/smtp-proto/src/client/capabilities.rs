use sasl::Mechanism;

use super::Limits;
use crate::Reply;

/// The capabilities that a server announces in its reply to EHLO or LHLO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Capabilities {
    /// RFC 2920: commands may be sent without waiting for each reply.
    pub(super) pipelining: bool,
    /// RFC 1870: MAIL may declare the size. The server decides whether it is too large.
    pub(super) size: bool,
    /// RFC 6152: MAIL may declare an eight-bit body.
    pub(super) eight_bit_mime: bool,
    /// RFC 6531: MAIL may declare addresses and header fields in UTF-8.
    pub(super) smtputf8: bool,
    /// RFC 3207.
    pub(super) starttls: bool,
    /// RFC 3461: MAIL may carry an identifier of the message.
    pub(super) dsn: bool,
    /// RFC 3030: the message may be sent as a chunk.
    pub(super) chunking: bool,
    /// RFC 8689: MAIL may demand TLS for the message.
    pub(super) requiretls: bool,
    /// RFC 9422.
    pub(super) limits: Limits,
    /// Our own extension: MAIL may say that a message belongs in the Junk mailbox.
    pub(super) verdict: bool,
    /// RFC 4954: the mechanisms that both sides know.
    pub(super) mechanisms: Vec<Mechanism>,
}

impl Capabilities {
    /// Reads `ehlo-ok-rsp` (RFC 5321 §4.1.1.1): the first line is the server's name, each other one a keyword with
    /// its parameters.
    pub(super) fn read(reply: &Reply) -> Self {
        let mut read = Self::default();
        for line in reply.text().split('\n').skip(1) {
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => read.pipelining = true,
                "8BITMIME" => read.eight_bit_mime = true,
                "SMTPUTF8" => read.smtputf8 = true,
                "STARTTLS" => read.starttls = true,
                "AUTH" => read.mechanisms.extend(words.filter_map(Mechanism::parse)),
                "DSN" => read.dsn = true,
                "XVERDICT" => read.verdict = true,
                "SIZE" => read.size = true,
                "CHUNKING" => read.chunking = true,
                "REQUIRETLS" => read.requiretls = true,
                "LIMITS" => read.limits = Limits::read(words),
                _ => {}
            }
        }
        read
    }
}
