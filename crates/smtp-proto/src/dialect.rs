/// The protocol of a session. The three differ in the clients that may connect and in a handful of rules, all of which
/// depend on this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Between mail servers, port 25 (RFC 5321). Has no login.
    Smtp,
    /// From a user's client, ports 587 and 465 (RFC 6409, RFC 8314). No mail is accepted without a login under TLS.
    Submission,
    /// To the mail store, on a local socket (RFC 2033): LHLO, and a reply for each recipient at the end.
    Lmtp,
}

impl Dialect {
    /// The name of the protocol in a greeting.
    pub(crate) fn greeting_word(self) -> &'static str {
        match self {
            Self::Smtp | Self::Submission => "ESMTP",
            Self::Lmtp => "LMTP",
        }
    }
}
