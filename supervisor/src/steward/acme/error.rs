//! Errors while obtaining a certificate, sorted by the reaction to them.

use instant_acme::{Error, Problem};
use serde::{Deserialize, Serialize};

use super::challenge_type::ChallengeKind;
use super::fix;
use super::http::{Http, HttpError};

/// The reason for a failure, with its fix where known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steward) struct Reason {
    /// The error in plain words.
    pub(super) why: String,
    /// The fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Reason {
    pub(super) fn new(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { why: why.into(), fix: Some(fix.into()) }
    }
}

impl From<String> for Reason {
    fn from(why: String) -> Self {
        Self { why, fix: None }
    }
}

impl From<&str> for Reason {
    fn from(why: &str) -> Self {
        Self::from(why.to_owned())
    }
}

/// A name that the authority refused, or for which we could not publish an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steward) struct Refusal {
    pub(super) name: String,
    /// The challenge type.
    #[serde(rename = "way")]
    pub(super) challenge: ChallengeKind,
    /// The reason, with its fix.
    #[serde(flatten)]
    pub(super) reason: Reason,
    /// A digest of the name's DNS records at that time: a change is worth another attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) records: Option<String>,
}

impl Refusal {
    pub(super) fn new(name: impl Into<String>, kind: ChallengeKind, reason: impl Into<Reason>) -> Self {
        Self { name: name.into(), challenge: kind, reason: reason.into(), records: None }
    }
}

/// The reason why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AcmeError {
    /// The authority was unreachable, or reports that it is not working. Nothing that it counts has happened.
    Unavailable { reason: Reason, retry_at: Option<i64> },
    /// The authority applied a rate limit.
    RateLimited { reason: Reason, retry_at: Option<i64> },
    /// The authority is processing the order, or cannot be reached now. The same order is polled again.
    Pending { reason: Reason, retry_at: Option<i64>, is_gone: bool },
    /// The authority refused names. The others can be obtained without them.
    Names(Vec<Refusal>),
    /// The authority refused the whole order.
    Refused(Reason),
    /// The authority refused the account or the request. A request to the account's page shows which.
    Unauthorized(Reason),
    /// The authority does not know our account, or no longer accepts its requests.
    UnknownAccount(Reason),
    /// The authority does not know the certificate that the new one was to replace, or has replaced it already.
    CannotReplace(Reason),
    /// A local fault.
    Local(Reason),
}

const PREFIX: &str = "urn:ietf:params:acme:error:";
/// The status for a missing page or order (RFC 9110 §15.5.5).
const NOT_FOUND: u16 = 404;

impl AcmeError {
    /// A local fault.
    pub(super) fn local(why: impl Into<Reason>) -> Self {
        Self::Local(why.into())
    }

    /// Sorts an error of the library. `http` holds the metadata of the response.
    pub(super) fn of(error: Error, http: &Http) -> Self {
        let retry_at = http.metadata().retry_at;
        match error {
            Error::Api(problem) => Self::of_problem(&problem, http),
            Error::Other(other) => match other.downcast::<HttpError>() {
                Ok(error) => Self::of_http(&error, retry_at),
                // The order was made without the `replaces` of RFC 9773 §5; the library rejects it.
                Err(other) if other.to_string().contains("replaces") => {
                    Self::CannotReplace(printable(&other.to_string()).into())
                }
                Err(other) => Self::Unavailable { reason: printable(&other.to_string()).into(), retry_at },
            },
            Error::Timeout(_) => {
                Self::Unavailable { reason: "the authority did not finish in time".into(), retry_at }
            }
            Error::Unsupported(what) => {
                Self::CannotReplace(format!("the authority does not support {what}").into())
            }
            Error::Crypto | Error::KeyRejected => {
                Self::Local(format!("the account's key cannot be used: {error}").into())
            }
            error => {
                let why = format!("unexpected answer from the authority: {error}");
                Self::Unavailable { reason: printable(&why).into(), retry_at }
            }
        }
    }

    /// Sorts an error of an order that exists at the authority: what blocks it now may pass in a moment.
    pub(super) fn of_order(error: Error, http: &Http) -> Self {
        let is_gone = matches!(&error, Error::Api(problem) if problem.status == Some(NOT_FOUND))
            || matches!(&error, Error::Other(other)
                if matches!(other.downcast_ref(), Some(HttpError::Status { status: NOT_FOUND, .. })));
        match Self::of(error, http) {
            Self::Unavailable { reason, retry_at } => Self::Pending { reason, retry_at, is_gone },
            Self::RateLimited { reason, retry_at } => {
                let retry_at = retry_at.or(Some(super::http::now() + 600));
                Self::Pending { reason, retry_at, is_gone: false }
            }
            Self::Refused(reason) if is_gone => Self::Pending { reason, retry_at: None, is_gone },
            error => error,
        }
    }

    /// Sorts an error of HTTP.
    pub(super) fn of_http(error: &HttpError, retry_at: Option<i64>) -> Self {
        let reason = Reason { why: error.to_string(), fix: fix::of_http(error) };
        match error {
            HttpError::Address(_) => Self::Local(reason),
            HttpError::Status { status: 429, .. } => Self::RateLimited { reason, retry_at },
            HttpError::Status { .. } => Self::Unavailable { reason, retry_at },
            // The metadata of an earlier response does not apply.
            _ => Self::Unavailable { reason, retry_at: None },
        }
    }

    fn of_problem(problem: &Problem, http: &Http) -> Self {
        let retry_at = http.metadata().retry_at;
        let kind = problem_type(problem);
        let reason =
            Reason { why: detail(problem), fix: fix::of_problem(kind, http.instructions().as_deref()) };
        match kind {
            "rateLimited" => Self::RateLimited { reason, retry_at },
            "accountDoesNotExist" => Self::UnknownAccount(reason),
            "unauthorized" => Self::Unauthorized(reason),
            "alreadyReplaced" => Self::CannotReplace(reason),
            // The library has tried three times with new nonces.
            "badNonce" | "serverInternal" | "orderNotReady" => Self::Unavailable { reason, retry_at },
            _ if problem.status.is_some_and(|status| status >= 500) => Self::Unavailable { reason, retry_at },
            _ => Self::Refused(reason),
        }
    }

    /// The reason in plain words, with its fix.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Unavailable { reason, .. }
            | Self::RateLimited { reason, .. }
            | Self::Pending { reason, .. }
            | Self::Refused(reason)
            | Self::Unauthorized(reason)
            | Self::UnknownAccount(reason)
            | Self::CannotReplace(reason)
            | Self::Local(reason) => reason.clone(),
            Self::Names(refusals) => {
                let each = refusals.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.reason.why));
                let fix = refusals.iter().find_map(|refusal| refusal.reason.fix.clone());
                Reason { why: each.collect::<Vec<_>>().join("; "), fix }
            }
        }
    }
}

/// The type of a problem (RFC 8555 §6.7); empty if it is not one of ACME's.
pub(super) fn problem_type(problem: &Problem) -> &str {
    problem.r#type.as_deref().and_then(|kind| kind.strip_prefix(PREFIX)).unwrap_or_default()
}

/// The detail of a problem (RFC 7807) and of its subproblems (RFC 8555 §6.7.1), limited in length.
pub fn detail(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().map(|kind| kind.strip_prefix(PREFIX).unwrap_or(kind));
    let detail = problem.detail.as_deref().or(kind).unwrap_or("no reason given");
    let parts = problem.subproblems.iter().map(ToString::to_string);
    printable(&std::iter::once(detail.to_owned()).chain(parts).collect::<Vec<_>>().join("; "))
}

/// Makes text of a peer safe for the log and for a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut text = text.to_owned();
    if text.len() > MAX_LEN {
        let end = text.floor_char_boundary(MAX_LEN);
        text.truncate(end);
        text.push('…');
    }
    text.replace(|c: char| c.is_control(), " ")
}

const MAX_LEN: usize = 600;
