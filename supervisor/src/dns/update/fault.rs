use std::io;
use std::net::SocketAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;

/// An error of a name server's query or update.
#[derive(Debug, thiserror::Error)]
#[error("the name server {server} {fault}")]
pub struct UpdateError {
    /// The server.
    pub server: SocketAddr,
    /// The fault.
    #[source]
    pub fault: UpdateFault,
}

/// The fault, phrased to follow the server's name, with its fix.
#[derive(Debug, thiserror::Error)]
pub enum UpdateFault {
    /// No connection.
    #[error(
        "cannot be reached: {0}; check MAIL_DNS_UPDATE_SERVER, and that the firewall allows TCP to that port"
    )]
    Unreachable(#[source] io::Error),
    /// There was no answer in time.
    #[error("did not answer within {0} seconds; see its log, and check that it accepts updates over TCP")]
    Silent(u64),
    /// The response does not match the query, or is not DNS.
    #[error("sent a malformed answer: {0}; check that MAIL_DNS_UPDATE_SERVER is a name server")]
    Malformed(String),
    /// The answer is unsigned, although the query was signed.
    #[error("sent an answer without a signature; the answer is forged, or the server does not support TSIG")]
    Unsigned,
    /// The answer's signature is not from our key.
    #[error("sent an answer with a wrong signature; the answer is forged, or the server has another key")]
    Forged,
    /// TSIG error BADKEY (RFC 8945 §5.2.1).
    #[error(
        "does not know the key {0:?} with that algorithm (BADKEY); the first two parts of MAIL_DNS_UPDATE_KEY must be \
         those of its configuration"
    )]
    BadKey(String),
    /// TSIG error BADSIG (RFC 8945 §5.2.2).
    #[error(
        "has another secret for the key {0:?} (BADSIG); the last part of MAIL_DNS_UPDATE_KEY must be that of its \
         configuration"
    )]
    BadSignature(String),
    /// TSIG error BADTIME (RFC 8945 §5.2.3).
    #[error("reports that the clocks differ by {} (BADTIME); set this machine's clock by NTP", seconds(*.0))]
    BadTime(Option<u64>),
    /// TSIG error BADTRUNC (RFC 8945 §5.2.4), or an unknown one.
    #[error("refuses the signature with the error {0}; use the algorithm hmac-sha256")]
    OtherSignatureError(u16),
    /// REFUSED.
    #[error(
        "refuses the request (REFUSED); allow the key of MAIL_DNS_UPDATE_KEY to update the zone: in Knot by an acl \
         with `action: update`, in BIND by `update-policy` or `allow-update`"
    )]
    Refused,
    /// NOTAUTH without an error of TSIG.
    #[error("is not the zone's primary server (NOTAUTH); MAIL_DNS_UPDATE_SERVER must be the primary server")]
    NotAuthoritative,
    /// No zone above the name.
    #[error(
        "has no zone for {0}; MAIL_DNS_UPDATE_SERVER must be the primary server of that zone, not a resolver or \
         another zone's"
    )]
    NoZone(Name),
    /// NOTIMP: a server without RFC 2136.
    #[error("does not support updates (NOTIMP); publish the records by hand, or use a server with RFC 2136")]
    NoUpdates,
    /// A prerequisite was not met (RFC 2136 §3.2.5): YXDOMAIN, YXRRSET, NXRRSET.
    #[error(
        "has other records than a moment ago, so nothing was changed in that zone; run the command again"
    )]
    Changed,
    /// Any other code.
    #[error("answers {0}; see its log")]
    Code(ResponseCode),
    /// More changes than one message holds.
    #[error("would need a message longer than DNS allows")]
    TooLong,
    /// The authoritative servers do not agree in time.
    #[error(
        "accepted the record, but after {seconds} seconds {} does not serve it; check the zone transfers",
        list(servers)
    )]
    NotVisible {
        /// The time waited.
        seconds: u64,
        /// The servers that do not serve the record.
        servers: Vec<SocketAddr>,
    },
}

fn seconds(difference: Option<u64>) -> String {
    match difference {
        Some(seconds) => format!("{seconds} seconds"),
        None => "too much".to_owned(),
    }
}

fn list(servers: &[SocketAddr]) -> String {
    servers.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ")
}

impl UpdateFault {
    /// The meaning of a response code for an update.
    pub(super) fn of_code(code: ResponseCode) -> Self {
        match code {
            ResponseCode::Refused => Self::Refused,
            ResponseCode::NotAuth | ResponseCode::NotZone => Self::NotAuthoritative,
            ResponseCode::YXDomain | ResponseCode::YXRRSet | ResponseCode::NXRRSet => Self::Changed,
            ResponseCode::NotImp => Self::NoUpdates,
            code => Self::Code(code),
        }
    }

    /// Adds the server's address.
    pub(super) fn at(self, server: SocketAddr) -> UpdateError {
        UpdateError { server, fault: self }
    }
}
