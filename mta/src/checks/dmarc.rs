//! Whether SPF or DKIM stands for the domain of the author (RFC 7489).

use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::{AuthenticatedMessage, DkimOutput, DmarcResult, MessageAuthenticator, SpfOutput};
use tokio::time::{Instant, timeout_at};

use super::{Finding, Method, Verdict};

/// Checks the alignment and finds the policy of the author's domain.
pub(super) async fn check(
    asker: &MessageAuthenticator,
    message: &AuthenticatedMessage<'_>,
    (spf, spf_domain): (&SpfOutput, &str),
    dkim: &[DkimOutput<'_>],
    end: Instant,
) -> Finding {
    let parameters = DmarcParameters {
        message,
        dkim_output: dkim,
        dkim2_output: None,
        rfc5321_mail_from_domain: spf_domain,
        spf_output: spf,
    };
    let Ok(output) = timeout_at(end, asker.verify_dmarc(parameters)).await else {
        return about_author(Finding::new(Method::Dmarc, Verdict::TempError), author_domain(message));
    };
    let verdict = match output.result() {
        DmarcResult::Pass => Verdict::Pass,
        DmarcResult::Fail(_) => Verdict::Fail,
        DmarcResult::TempError(_) => Verdict::TempError,
        DmarcResult::PermError(_) => Verdict::PermError,
        DmarcResult::None => Verdict::None,
    };
    let finding = about_author(Finding::new(Method::Dmarc, verdict), output.domain());
    match output.dmarc_record() {
        Some(_) => finding.about("policy.dmarc", output.policy().to_string()),
        None => finding,
    }
}

fn about_author(finding: Finding, domain: &str) -> Finding {
    if domain.is_empty() { finding } else { finding.about("header.from", domain) }
}

fn author_domain<'a>(message: &'a AuthenticatedMessage<'_>) -> &'a str {
    message.from().rsplit_once('@').map_or("", |(_, domain)| domain)
}
