//! What kept us from a certificate, sorted by what is to be done about it.

use instant_acme::{Error, Problem};
use serde::{Deserialize, Serialize};

use super::http::{Http, HttpError};
use super::way::Way;

/// A name that the authority would not have, or that we could not prepare for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::steward) struct Refusal {
    pub(super) name: String,
    pub(super) way: Way,
    /// What was said.
    pub(super) why: String,
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The authority was not reached, or says that it does not work. Nothing that it counts has happened.
    Away { why: String, retry_at: Option<i64> },
    /// It says that we ask too often.
    RateLimited { why: String, retry_at: Option<i64> },
    /// It refused names. The others can be had without them.
    Names(Vec<Refusal>),
    /// It refused all.
    Refused(String),
    /// It does not know our account.
    UnknownAccount(String),
    /// It does not know the certificate that the new one was to replace, or has replaced it already.
    CannotReplace(String),
    /// Something of ours does not work.
    Ours(String),
}

const PREFIX: &str = "urn:ietf:params:acme:error:";

impl Trouble {
    /// Sorts an error of the library. `http` knows what came with it.
    pub(super) fn of(error: Error, http: &Http) -> Self {
        let retry_at = http.said().retry_at;
        match error {
            Error::Api(problem) => Self::of_problem(&problem, retry_at),
            Error::Other(other) => match other.downcast::<HttpError>() {
                Ok(error) => Self::of_http(&error, retry_at),
                Err(other) => Self::Away { why: other.to_string(), retry_at },
            },
            Error::Timeout(_) => {
                Self::Away { why: "the authority did not finish in time".to_owned(), retry_at }
            }
            Error::Crypto | Error::KeyRejected => {
                Self::Ours(format!("the account's key cannot be used: {error}"))
            }
            error => {
                Self::Away { why: format!("the authority's answer is not understood: {error}"), retry_at }
            }
        }
    }

    /// Sorts an error of HTTP.
    pub(super) fn of_http(error: &HttpError, retry_at: Option<i64>) -> Self {
        match error {
            HttpError::Address(_) => Self::Ours(error.to_string()),
            HttpError::Status { status: 429, .. } => Self::RateLimited { why: error.to_string(), retry_at },
            HttpError::Status { .. } => Self::Away { why: error.to_string(), retry_at },
            // What came before this answer says nothing about it.
            _ => Self::Away { why: error.to_string(), retry_at: None },
        }
    }

    fn of_problem(problem: &Problem, retry_at: Option<i64>) -> Self {
        let why = detail(problem);
        let kind = problem.r#type.as_deref().and_then(|kind| kind.strip_prefix(PREFIX)).unwrap_or_default();
        match kind {
            "rateLimited" => Self::RateLimited { why, retry_at },
            "accountDoesNotExist" => Self::UnknownAccount(why),
            "alreadyReplaced" => Self::CannotReplace(why),
            // The library has tried three times with new ones.
            "badNonce" | "serverInternal" | "orderNotReady" => Self::Away { why, retry_at },
            _ if problem.status.is_some_and(|status| status >= 500) => Self::Away { why, retry_at },
            _ => Self::Refused(why),
        }
    }

    /// In plain words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Away { why, .. }
            | Self::RateLimited { why, .. }
            | Self::Refused(why)
            | Self::UnknownAccount(why)
            | Self::CannotReplace(why)
            | Self::Ours(why) => why.clone(),
            Self::Names(refusals) => {
                let each = refusals.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.why));
                each.collect::<Vec<_>>().join("; ")
            }
        }
    }
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
