//! `dmarc`: the policy of the author's domain for messages that neither SPF nor DKIM proves to be its own (RFC 9989).
//!
//! A mailing list that adds a footer or a tag breaks the author's signature, and sends from its own address: DMARC fails
//! for honest mail. A list that names itself (`List-Id`, RFC 2919) and signs under that name is therefore refused
//! nothing: its mail goes to the Junk mailbox at most. A forger gains no more by it than a place there, and has to sign
//! with a domain of its own.

use address::Domain;
use dmarc::Policy;
use handover::config::PolicyAction;
use message::field;
use smtp_proto::Status;

use super::check::{Check, CheckResult};
use crate::checks::{AuthResult, AuthenticationResults};

/// The result from the evaluation of a message with this header section.
pub(super) fn check(results: &AuthenticationResults, header: &[u8]) -> CheckResult {
    let evaluation = results.dmarc();
    let result = |explanation: String| CheckResult::new(Check::Dmarc, evaluation.result, explanation);
    let Some(author) = &evaluation.author else {
        return result("the From field names no domain with a policy".to_owned());
    };
    let most = match evaluation.requested {
        Policy::None => PolicyAction::Off,
        Policy::Quarantine => PolicyAction::Junk,
        Policy::Reject if is_from_list(header, results.signers()) => PolicyAction::Junk,
        Policy::Reject => PolicyAction::Reject,
    };
    match evaluation.result {
        AuthResult::Fail => {
            let asks = match evaluation.requested {
                Policy::None => "asks for nothing",
                Policy::Quarantine => "asks to treat it as suspicious",
                Policy::Reject => "asks to refuse it",
            };
            result(format!("neither SPF nor DKIM proves that this is mail of {author}, which {asks}"))
                .at_most(most)
                .with_refusal(
                    Status::NOT_AUTHORIZED,
                    format!(
                        "DMARC: neither SPF nor DKIM proves that this is mail of {author}, which asks to refuse it: \
                         send it through a server of {author}, or correct its SPF and DKIM records"
                    ),
                )
        }
        AuthResult::Pass => result(format!("this is mail of {author}")),
        AuthResult::None => result(format!("{author} has no policy")),
        AuthResult::TempError => result(format!("the policy of {author} cannot be looked up at the moment")),
        _ => result(format!("the policy of {author} cannot be applied")),
    }
}

/// True if the message has one `List-Id`, and a signature of its domain, or of one above it, has passed.
fn is_from_list(header: &[u8], mut signers: impl Iterator<Item = Domain>) -> bool {
    let mut ids = field::fields(header).filter(|field| field.is("List-Id"));
    let (Some(id), None) = (ids.next(), ids.next()) else { return false };
    let value = id.unfolded();
    let Some(id) = std::str::from_utf8(&value).ok().and_then(list_id) else { return false };
    signers.any(|signer| id.is_within(&signer))
}

/// `list-id-header = "List-ID:" [phrase] "<" list-id ">" CRLF` (RFC 2919 §3).
fn list_id(value: &str) -> Option<Domain> {
    let inner = value.trim_end().strip_suffix('>')?;
    Domain::parse(inner.rsplit_once('<')?.1.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn a_list_is_known_by_the_signature_of_its_own_domain() {
        let cases: [(&str, &str, bool); 8] = [
            ("List-Id: Talk <talk.lists.example.net>\r\n", "lists.example.net", true),
            ("List-ID:\r\n <talk.lists.example.net>\r\n", "example.net", true),
            ("List-Id: <talk.lists.example.net>\r\n", "other.example.net", false),
            ("List-Id: <talk.lists.example.net>\r\n", "example.com", false),
            ("List-Id: talk.lists.example.net\r\n", "example.net", false),
            ("List-Id: <a.example.net>\r\nList-Id: <a.example.com>\r\n", "example.net", false),
            ("List-Id: <>\r\n", "example.net", false),
            ("Subject: <talk.example.net>\r\n", "example.net", false),
        ];
        for (header, signer, expected) in cases {
            assert_eq!(
                is_from_list(header.as_bytes(), [domain(signer)].into_iter()),
                expected,
                "{header} {signer}"
            );
        }
        assert!(!is_from_list(b"List-Id: <talk.example.net>\r\n", std::iter::empty()));
    }
}
