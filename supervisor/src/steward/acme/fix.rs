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
            "create an account on the authority's web site, set MAIL_ACME_EAB_KEY_ID and MAIL_ACME_EAB_KEY in .env to \
             the values shown there, then: {RESTART}"
        ),
        "userActionRequired" => match instructions {
            Some(page) => format!("read and accept the authority's terms at {page}, then: {AGAIN}"),
            None => format!("accept the authority's terms on its web site, then: {AGAIN}"),
        },
        "caa" => of_caa(&[]),
        "dns" => format!("publish the records that `mailstead dns` prints, then: {AGAIN}"),
        "connection" => format!(
            "open ports 80 and 443 of this machine to all hosts (in its firewall, at the provider, in the router), \
             then: {AGAIN}"
        ),
        "unauthorized" | "incorrectResponse" => format!(
            "point all addresses of the name at this machine, and let a web server in front of it pass on \
             /.well-known/acme-challenge/, then: {AGAIN}"
        ),
        "tls" => format!(
            "let port 443 of the name lead to this machine without a proxy that terminates TLS, or set \
             MAIL_ACME_CHALLENGE=http-01 in .env, then: {RESTART}"
        ),
        "rejectedIdentifier" | "unsupportedIdentifier" => format!(
            "use an authority that issues for the name: set MAIL_ACME_DIRECTORY in .env to its directory, then: \
             {RESTART}"
        ),
        "invalidContact" | "unsupportedContact" => format!(
            "set MAIL_ACME_CONTACT in .env to an address that the authority accepts, or remove it, then: {RESTART}"
        ),
        "rateLimited" => "nothing: the server retries when the authority allows it".to_owned(),
        _ => return None,
    })
}

/// The fix for CAA records that forbid issuance (RFC 8659). `identities` are the authority's own domains from its
/// directory (RFC 8555 §7.1.1).
pub(super) fn of_caa(identities: &[String]) -> String {
    let value =
        identities.first().map_or("<the domain that the authority documents for CAA>", String::as_str);
    format!(
        "allow this authority in the CAA records of the name, or of the parent that has them: publish `CAA 0 issue \
         \"{value}\"` beside the existing records, then: {AGAIN}"
    )
}

/// The fix for an authority that cannot be reached.
pub(super) fn of_http(error: &HttpError) -> Option<String> {
    Some(match error {
        HttpError::Address(_) | HttpError::Moved { .. } => of_directory(),
        HttpError::Untrusted { is_unknown_issuer: true, .. } => format!(
            "if the authority is your own, set MAIL_ACME_CA_FILE in .env to a file with the certificate that its web \
             server is trusted by, then: {RESTART}; if it is a public authority, something on the way intercepts TLS: \
             let this machine connect to it directly"
        ),
        HttpError::Untrusted { .. } => {
            "check this machine's clock; if it is right, the authority has to renew its certificate"
                .to_owned()
        }
        HttpError::Name { host, .. } => format!(
            "check that {host} in MAIL_ACME_DIRECTORY is spelled correctly and that the resolver answers for it"
        ),
        HttpError::Connect { host, .. } => {
            format!("check whether this machine can reach {host}: a firewall, a route, the authority itself")
        }
        HttpError::Status { .. } | HttpError::Broken { .. } | HttpError::Late { .. } => return None,
    })
}

/// The fix for a missing directory at the configured address.
pub(super) fn of_directory() -> String {
    format!(
        "set MAIL_ACME_DIRECTORY in .env to the directory address that the authority documents, or remove it to use \
         Let's Encrypt, then: {RESTART}"
    )
}

/// The fix for a refused external account binding.
pub(super) fn of_binding() -> String {
    format!(
        "copy MAIL_ACME_EAB_KEY_ID and MAIL_ACME_EAB_KEY again from the authority's web site into .env (some \
         authorities accept each only once), then: {RESTART}"
    )
}
