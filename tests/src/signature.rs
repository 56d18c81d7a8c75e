//! Verification of DKIM signatures as a receiver would do it: with the key that the DNS publishes.

use std::net::SocketAddr;
use std::time::Duration;

use mail_auth::common::verify::VerifySignature as _;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

/// One signature of a message and the result of its verification.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// The domain that signed.
    pub domain: String,
    /// The selector of its key.
    pub selector: String,
    /// True if it verifies.
    pub holds: bool,
    /// The verifier's explanation, for the message of a failed test.
    pub verdict: String,
}

/// Verifies all signatures of a message, with keys from the name server at `dns`.
pub fn check(message: &[u8], dns: SocketAddr) -> Vec<Signature> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let message = AuthenticatedMessage::parse(message).expect("the message has a header");
        let outputs = authenticator(dns).verify_dkim(&message).await;
        outputs
            .iter()
            .filter_map(|output| {
                let signature = output.signature()?;
                Some(Signature {
                    domain: signature.domain().to_owned(),
                    selector: signature.selector().to_owned(),
                    holds: *output.result() == DkimResult::Pass,
                    verdict: format!("{:?}", output.result()),
                })
            })
            .collect()
    })
}

fn authenticator(dns: SocketAddr) -> MessageAuthenticator {
    let mut server = NameServerConfig::udp_and_tcp(dns.ip());
    for connection in &mut server.connections {
        connection.port = dns.port();
    }
    let mut options = ResolverOpts::default();
    options.timeout = Duration::from_secs(10);
    MessageAuthenticator::new(ResolverConfig::from_parts(None, Vec::new(), vec![server]), options)
        .expect("a resolver can be made")
}
