//! Whether the peer's address may send for the domain it names (RFC 7208).

use std::net::IpAddr;

use address::{Domain, ReversePath};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{MessageAuthenticator, SpfOutput, SpfResult};
use tokio::time::{Instant, timeout_at};

use super::{Finding, Method, Verdict};

/// Where a message comes from.
pub(super) struct Origin<'a> {
    pub(super) ip: IpAddr,
    pub(super) helo: &'a str,
    pub(super) hostname: &'a Domain,
    pub(super) sender: &'a ReversePath,
}

/// The results for the two identities (RFC 7208 §2).
pub(super) struct Checked {
    helo: (String, SpfOutput),
    /// None for the null sender, for whom the name in HELO stands (RFC 7208 §2.4).
    mail_from: Option<(String, SpfOutput)>,
}

/// Checks both identities at the same time.
pub(super) async fn check(asker: &MessageAuthenticator, origin: &Origin<'_>, end: Instant) -> Checked {
    let hostname = origin.hostname.as_str();
    let sender = origin.sender.address().map(ToString::to_string);
    let helo = async {
        let parameters = SpfParameters::verify_ehlo(origin.ip, origin.helo, hostname);
        timeout_at(end, asker.verify_spf(parameters)).await.unwrap_or_else(|_| unanswered(origin.helo))
    };
    let mail_from = async {
        let sender = sender?;
        let parameters = SpfParameters::verify_mail_from(origin.ip, origin.helo, hostname, &sender);
        let output = timeout_at(end, asker.verify_spf(parameters))
            .await
            .unwrap_or_else(|_| unanswered(domain_of(&sender)));
        Some((sender, output))
    };
    let (helo, mail_from) = tokio::join!(helo, mail_from);
    Checked { helo: (origin.helo.to_owned(), helo), mail_from }
}

fn unanswered(domain: &str) -> SpfOutput {
    SpfOutput::new(domain.to_owned()).with_result(SpfResult::TempError)
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

impl Checked {
    /// What is known of a peer whose address is not: nothing that could stand for anybody.
    pub(super) fn of_nobody(helo: &str) -> Self {
        Self {
            helo: (helo.to_owned(), SpfOutput::new(helo.to_owned()).with_result(SpfResult::None)),
            mail_from: None,
        }
    }

    /// The identity that counts for DMARC and its domain (RFC 7489 §3.1.2).
    pub(super) fn decisive(&self) -> (&SpfOutput, &str) {
        match &self.mail_from {
            Some((sender, output)) => (output, domain_of(sender)),
            None => (&self.helo.1, &self.helo.0),
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        let finding = |(identity, output): &(String, SpfOutput), property| {
            Finding::new(Method::Spf, verdict(output.result())).about(property, identity)
        };
        let mail_from = self.mail_from.iter().map(move |checked| finding(checked, "smtp.mailfrom"));
        std::iter::once(finding(&self.helo, "smtp.helo")).chain(mail_from)
    }
}

fn verdict(result: SpfResult) -> Verdict {
    match result {
        SpfResult::Pass => Verdict::Pass,
        SpfResult::Fail => Verdict::Fail,
        SpfResult::SoftFail => Verdict::SoftFail,
        SpfResult::Neutral => Verdict::Neutral,
        SpfResult::TempError => Verdict::TempError,
        SpfResult::PermError => Verdict::PermError,
        SpfResult::None => Verdict::None,
    }
}
