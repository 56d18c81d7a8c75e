//! Fixes for errors of the authority: the commands and settings an operator needs.

use super::http::HttpError;

/// The command after a change of `.env`.
const RESTART: &str = "docker compose up -d";
/// The command after any other change.
const AGAIN: &str = "docker compose kill -s HUP mail";

/// The fix for a problem of this type (RFC 8555 §6.7). `instructions` is the page that the authority names for it.
pub(super) fn of_problem(kind: &str, instructions: Option<&str>) -> Option<String> {
    Some(match kind {
        "externalAccountRequired" => format!(
            "make an account on the authority's pages, set MAIL_ACME_EAB_KEY_ID and MAIL_ACME_EAB_KEY in .env to what \
             it shows there, then: {RESTART}"
        ),
        "userActionRequired" => match instructions {
            Some(page) => format!("read and accept the authority's terms on {page}, then: {AGAIN}"),
            None => format!("accept the authority's terms on its pages, then: {AGAIN}"),
        },
        "caa" => of_caa(&[]),
        "dns" => format!("publish the records that `mailstead dns` prints, then: {AGAIN}"),
        "connection" => format!(
            "let the ports 80 and 443 of this machine be reached from everywhere (the firewall here, that of the \
             provider, the router), then: {AGAIN}"
        ),
        "unauthorized" | "incorrectResponse" => format!(
            "let all addresses of the name be this machine's, with no other web server in front of it that does not \
             pass /.well-known/acme-challenge/ on, then: {AGAIN}"
        ),
        "tls" => format!(
            "let port 443 of the name lead to this machine without a proxy that ends TLS, or set \
             MAIL_ACME_CHALLENGE=http-01 in .env, then: {RESTART}"
        ),
        "rejectedIdentifier" | "unsupportedIdentifier" => format!(
            "ask an authority that issues for the name: set MAIL_ACME_DIRECTORY in .env to its directory, then: {RESTART}"
        ),
        "invalidContact" | "unsupportedContact" => format!(
            "set MAIL_ACME_CONTACT in .env to an address that the authority accepts, or take it out, then: {RESTART}"
        ),
        "rateLimited" => "nothing: it is tried again when the authority allows it".to_owned(),
        _ => return None,
    })
}

/// The fix for CAA records that forbid issuance (RFC 8659). `identities` are the authority's own domains from its
/// directory (RFC 8555 §7.1.1).
pub(super) fn of_caa(identities: &[String]) -> String {
    let value = identities.first().map_or("<the domain that the authority names for CAA>", String::as_str);
    format!(
        "let the CAA records of the name, or of the parent that has them, allow this authority: publish `CAA 0 issue \
         \"{value}\"` beside those that are there, then: {AGAIN}"
    )
}

/// The fix for an authority that cannot be reached.
pub(super) fn of_http(error: &HttpError) -> Option<String> {
    Some(match error {
        HttpError::Address(_) | HttpError::Moved { .. } => of_directory(),
        HttpError::Untrusted { is_unknown_issuer: true, .. } => format!(
            "if the authority is your own, put the certificate that its web server is trusted by into a file, name \
             that in MAIL_ACME_CA_FILE in .env, then: {RESTART}; if it is a public one, something between here and \
             there opens TLS connections, so let this machine reach it directly"
        ),
        HttpError::Untrusted { .. } => {
            "see whether this machine's clock is right; if it is, the authority has to renew its certificate"
                .to_owned()
        }
        HttpError::Name { host, .. } => format!(
            "see whether {host} in MAIL_ACME_DIRECTORY is spelled right and whether the resolver answers for it"
        ),
        HttpError::Connect { host, .. } => {
            format!("see whether this machine reaches {host}: a firewall, a route, the authority itself")
        }
        HttpError::Status { .. } | HttpError::Broken { .. } | HttpError::Late { .. } => return None,
    })
}

/// The fix for a missing directory at the configured address.
pub(super) fn of_directory() -> String {
    format!(
        "set MAIL_ACME_DIRECTORY in .env to the address of the authority's directory as its pages show it today, or take \
         it out and Let's Encrypt is asked, then: {RESTART}"
    )
}

/// The fix for a refused external account binding.
pub(super) fn of_binding() -> String {
    format!(
        "copy MAIL_ACME_EAB_KEY_ID and MAIL_ACME_EAB_KEY again from the authority's pages into .env, where some \
         authorities let each be used once only, then: {RESTART}"
    )
}
