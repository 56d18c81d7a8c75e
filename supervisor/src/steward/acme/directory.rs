//! The members of the authority's directory (RFC 8555 §7.1.1) that the ACME library does not read.

use bytes::Bytes;
use serde::Deserialize;

use super::error::{AcmeError, Reason, printable};
use super::fix;
use super::http::{Http, HttpError};

/// The members that we use, and those that every directory must have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    #[serde(rename = "newNonce")]
    _new_nonce: String,
    #[serde(rename = "newAccount")]
    _new_account: String,
    #[serde(rename = "newOrder")]
    _new_order: String,
    /// The base address of renewal info (RFC 9773 §4).
    pub(super) renewal_info: Option<String>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    caa_identities: Vec<String>,
}

impl Directory {
    /// Fetches the directory. On failure, also returns the HTTP error to report.
    pub(super) async fn fetch(http: &Http, address: &str) -> Result<Self, (AcmeError, Option<HttpError>)> {
        match http.get(address).await {
            Ok(content) => Self::read(&content, address).map_err(|error| (error, None)),
            Err(error) => {
                let acme_error = match &error {
                    HttpError::Status { status: status @ (404 | 410), .. } => AcmeError::Unavailable {
                        reason: Reason::new(
                            format!("the authority has no directory at {address} (status {status})"),
                            fix::of_directory(),
                        ),
                        retry_at: None,
                    },
                    error => AcmeError::of_http(error, http.metadata().retry_at),
                };
                Err((acme_error, Some(error)))
            }
        }
    }

    /// The domains by which CAA records name the authority (RFC 8555 §9.7.6).
    pub(super) fn caa_identities(&self) -> Vec<String> {
        self.meta.caa_identities.iter().map(|identity| printable(identity)).collect()
    }

    fn read(content: &Bytes, address: &str) -> Result<Self, AcmeError> {
        serde_json::from_slice(content).map_err(|_| AcmeError::Unavailable {
            reason: Reason::new(
                format!(
                    "the answer of {address} is not an ACME directory; a proxy or a network's login page may answer in \
                     its place"
                ),
                fix::of_directory(),
            ),
            retry_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_a_directory_is_reported() {
        let read = |text: &'static str| {
            Directory::read(&Bytes::from_static(text.as_bytes()), "https://ca.example/d")
        };
        let directory = read(
            r#"{"newNonce": "n", "newAccount": "a", "newOrder": "o", "renewalInfo": "r", "random": "x",
                "meta": {"caaIdentities": ["ca.example"]}}"#,
        )
        .unwrap();
        assert_eq!(directory.renewal_info.as_deref(), Some("r"));
        assert_eq!(directory.caa_identities(), ["ca.example"]);
        assert_eq!(
            read(r#"{"newNonce": "n", "newAccount": "a", "newOrder": "o"}"#).unwrap().renewal_info,
            None
        );
        for page in ["<html>Welcome to our hotel</html>", "{}", ""] {
            let reason = read(page).unwrap_err().reason();
            assert!(reason.why.contains("https://ca.example/d"), "{reason:?}");
            assert!(reason.fix.unwrap().contains("MAIL_ACME_DIRECTORY"));
        }
    }
}
