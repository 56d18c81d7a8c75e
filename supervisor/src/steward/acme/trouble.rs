//! What kept us from a certificate, sorted by what is to be done about it.

use instant_acme::{Error, Problem};
use serde::{Deserialize, Serialize};

use super::fix;
use super::http::{Http, HttpError};
use super::way::Way;

/// Why something failed, and what a person can do about it where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steward) struct Reason {
    /// What went wrong, in plain words.
    pub(super) why: String,
    /// What to do about it.
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

/// A name that the authority refused, or that we could not prepare for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steward) struct Refusal {
    pub(super) name: String,
    pub(super) way: Way,
    /// What was said, and what to do.
    #[serde(flatten)]
    pub(super) reason: Reason,
    /// A digest of what DNS had for the name then: another answer is worth another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) records: Option<String>,
}

impl Refusal {
    pub(super) fn new(name: impl Into<String>, way: Way, reason: impl Into<Reason>) -> Self {
        Self { name: name.into(), way, reason: reason.into(), records: None }
    }
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The authority was not reached, or says that it does not work. Nothing that it counts has happened.
    Away { reason: Reason, retry_at: Option<i64> },
    /// It says that we ask too often.
    RateLimited { reason: Reason, retry_at: Option<i64> },
    /// It works on the order, or cannot be asked about it now. The same order is looked at again.
    Pending { reason: Reason, retry_at: Option<i64>, is_gone: bool },
    /// It refused names. The others can be had without them.
    Names(Vec<Refusal>),
    /// It refused all.
    Refused(Reason),
    /// It refused who asks, or what is asked for: the account is looked at to know which.
    Unauthorized(Reason),
    /// It does not know our account, or accepts nothing from it any more.
    UnknownAccount(Reason),
    /// It does not know the certificate that the new one was to replace, or has replaced it already.
    CannotReplace(Reason),
    /// Something of ours does not work.
    Ours(Reason),
}

const PREFIX: &str = "urn:ietf:params:acme:error:";
/// No page and no order under that address (RFC 9110 §15.5.5).
const NOT_FOUND: u16 = 404;

impl Trouble {
    /// Something of ours.
    pub(super) fn ours(why: impl Into<Reason>) -> Self {
        Self::Ours(why.into())
    }

    /// Sorts an error of the library. `http` knows what came with it.
    pub(super) fn of(error: Error, http: &Http) -> Self {
        let retry_at = http.said().retry_at;
        match error {
            Error::Api(problem) => Self::of_problem(&problem, http),
            Error::Other(other) => match other.downcast::<HttpError>() {
                Ok(error) => Self::of_http(&error, retry_at),
                // The order was made without what RFC 9773 §5 asks of it; the library gives it up.
                Err(other) if other.to_string().contains("replaces") => {
                    Self::CannotReplace(plain(&other.to_string()).into())
                }
                Err(other) => Self::Away { reason: plain(&other.to_string()).into(), retry_at },
            },
            Error::Timeout(_) => {
                Self::Away { reason: "the authority did not finish in time".into(), retry_at }
            }
            Error::Unsupported(what) => {
                Self::CannotReplace(format!("the authority does not support {what}").into())
            }
            Error::Crypto | Error::KeyRejected => {
                Self::Ours(format!("the account's key cannot be used: {error}").into())
            }
            error => {
                let why = format!("the authority's answer is not understood: {error}");
                Self::Away { reason: plain(&why).into(), retry_at }
            }
        }
    }

    /// The same of an order that exists at the authority: what keeps it from ending now may be over in a moment.
    pub(super) fn of_order(error: Error, http: &Http) -> Self {
        let is_gone = matches!(&error, Error::Api(problem) if problem.status == Some(NOT_FOUND))
            || matches!(&error, Error::Other(other)
                if matches!(other.downcast_ref(), Some(HttpError::Status { status: NOT_FOUND, .. })));
        match Self::of(error, http) {
            Self::Away { reason, retry_at } => Self::Pending { reason, retry_at, is_gone },
            Self::RateLimited { reason, retry_at } => {
                let retry_at = retry_at.or(Some(super::http::now() + 600));
                Self::Pending { reason, retry_at, is_gone: false }
            }
            Self::Refused(reason) if is_gone => Self::Pending { reason, retry_at: None, is_gone },
            trouble => trouble,
        }
    }

    /// Sorts an error of HTTP.
    pub(super) fn of_http(error: &HttpError, retry_at: Option<i64>) -> Self {
        let reason = Reason { why: error.to_string(), fix: fix::of_http(error) };
        match error {
            HttpError::Address(_) => Self::Ours(reason),
            HttpError::Status { status: 429, .. } => Self::RateLimited { reason, retry_at },
            HttpError::Status { .. } => Self::Away { reason, retry_at },
            // What came before this answer says nothing about it.
            _ => Self::Away { reason, retry_at: None },
        }
    }

    fn of_problem(problem: &Problem, http: &Http) -> Self {
        let retry_at = http.said().retry_at;
        let kind = kind(problem);
        let reason =
            Reason { why: detail(problem), fix: fix::of_problem(kind, http.instructions().as_deref()) };
        match kind {
            "rateLimited" => Self::RateLimited { reason, retry_at },
            "accountDoesNotExist" => Self::UnknownAccount(reason),
            "unauthorized" => Self::Unauthorized(reason),
            "alreadyReplaced" => Self::CannotReplace(reason),
            // The library has tried three times with new nonces.
            "badNonce" | "serverInternal" | "orderNotReady" => Self::Away { reason, retry_at },
            _ if problem.status.is_some_and(|status| status >= 500) => Self::Away { reason, retry_at },
            _ => Self::Refused(reason),
        }
    }

    /// The reason in plain words, with what to do.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Away { reason, .. }
            | Self::RateLimited { reason, .. }
            | Self::Pending { reason, .. }
            | Self::Refused(reason)
            | Self::Unauthorized(reason)
            | Self::UnknownAccount(reason)
            | Self::CannotReplace(reason)
            | Self::Ours(reason) => reason.clone(),
            Self::Names(refusals) => {
                let each = refusals.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.reason.why));
                let fix = refusals.iter().find_map(|refusal| refusal.reason.fix.clone());
                Reason { why: each.collect::<Vec<_>>().join("; "), fix }
            }
        }
    }
}

/// The kind of a problem (RFC 8555 §6.7), empty when it is none of ACME's.
pub(super) fn kind(problem: &Problem) -> &str {
    problem.r#type.as_deref().and_then(|kind| kind.strip_prefix(PREFIX)).unwrap_or_default()
}

/// What a problem says (RFC 7807), with what it says of single names (RFC 8555 §6.7.1), in a bounded number of words.
pub fn detail(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().map(|kind| kind.strip_prefix(PREFIX).unwrap_or(kind));
    let said = problem.detail.as_deref().or(kind).unwrap_or("no reason given");
    let parts = problem.subproblems.iter().map(ToString::to_string);
    plain(&std::iter::once(said.to_owned()).chain(parts).collect::<Vec<_>>().join("; "))
}

/// A stranger's words, fit for the log and for a terminal.
pub(super) fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST);
        text.truncate(end);
        text.push('…');
    }
    text.replace(|c: char| c.is_control(), " ")
}

const LONGEST: usize = 600;
