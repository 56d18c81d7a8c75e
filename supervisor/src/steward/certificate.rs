//! Checks the certificate's files on the volume while the steward runs: a self-made certificate is renewed, and a key
//! that was replaced or is unreadable is reported as a finding for as long as that lasts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use handover::config::{Steward, Tls};
use handover::notice::{CERTIFICATE, Notifier};
use hickory_proto::rr::{RData, RecordType};
use tokio::sync::watch;
use tokio::time::timeout;

use super::findings::{Finding, Findings, Severity, Source};
use super::web::ServedCertificate;
use crate::certificate::key::{self, KeyError};
use crate::certificate::{fingerprint, renew_self_made};
use crate::dns::resolver;

/// The folder on the volume.
const TLS: &str = "tls";
/// The interval between two checks: a finding should disappear soon after its cause, and a check reads two small files.
const PAUSE: Duration = Duration::from_secs(10);

/// The task that checks the certificate's files.
pub(super) struct CertificateWatch {
    pub(super) steward: watch::Receiver<Arc<Steward>>,
    pub(super) live: Arc<ServedCertificate>,
    pub(super) notifier: Arc<Notifier>,
    pub(super) findings: Findings,
    /// Held while the certificate's files are written.
    pub(super) write_lock: Arc<Mutex<()>>,
}

impl CertificateWatch {
    /// Checks until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let steward = self.steward.borrow_and_update().clone();
            tokio::task::block_in_place(|| self.check(&steward));
            let folder = steward.volume.join(TLS);
            if key::replaced(&folder).is_some() && is_in_dns(&steward).await {
                match tokio::task::block_in_place(|| key::is_published(&folder)) {
                    Ok(()) => tracing::info!("TLSA records of the new key published"),
                    Err(error) => {
                        tracing::warn!(%error, "cannot move the marker of the lost key")
                    }
                }
                tokio::task::block_in_place(|| self.check(&steward));
            }
            let _ = timeout(PAUSE, self.steward.changed()).await;
        }
    }

    fn check(&self, steward: &Steward) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let renewed = {
            let _writing = self.write_lock.lock().unwrap_or_else(PoisonError::into_inner);
            renew_self_made(&steward.tls, now)
        };
        let failed = match renewed {
            Ok(true) => {
                self.serve(&steward.tls);
                None
            }
            Ok(false) => None,
            Err(error) => Some(Finding::new(
                Source::Settings,
                Severity::Error,
                format!("cannot renew the self-made certificate: {error}"),
                "free space on the volume, or repair it",
            )),
        };
        let replaced = key::replaced(&steward.volume.join(TLS));
        let replaced =
            replaced.map(|concern| Finding { severity: Severity::Error, ..Finding::of_concern(&concern) });
        // The type of an external key was checked when its files were copied.
        let unusable = handover::certificate::key(&steward.tls.key).err();
        let unusable = unusable.map(|error| key_finding(&KeyError::File(error)));
        self.findings.replace(Source::Settings, failed.into_iter().chain(replaced).chain(unusable).collect());
    }

    fn serve(&self, tls: &Tls) {
        if let Err(error) = self.live.load(tls) {
            tracing::error!(%error, "cannot load the new certificate");
        }
        if let Ok(fingerprint) = fingerprint(&tls.certificate) {
            self.notifier.send_fact(CERTIFICATE, fingerprint);
        }
    }
}

/// Returns true if DNS has a TLSA record of the certificate's key for port 25 (RFC 7672 §2.2).
async fn is_in_dns(steward: &Steward) -> bool {
    let Ok(resolver) = resolver::of(&resolver::servers(&steward.dns_servers)) else { return false };
    let Ok(key) = handover::certificate::public_key(&steward.tls.certificate) else { return false };
    let ours = digest(&SHA256, &key);
    let name = format!("_25._tcp.{}.", steward.web.hostname);
    let Ok(Ok(found)) = timeout(PAUSE, resolver.lookup(name, RecordType::TLSA)).await else { return false };
    found
        .answers()
        .iter()
        .any(|record| matches!(&record.data, RData::TLSA(tlsa) if tlsa.cert_data.as_slice() == ours.as_ref()))
}

/// The finding for a key error. The daemons keep using the key that they have in memory until they are restarted.
fn key_finding(error: &KeyError) -> Finding {
    let fix = match error.is_unread() {
        true => {
            "check the disk (dmesg) and whether the steward may read the key: docker compose restart corrects the \
             owners on the volume"
        }
        false => {
            "restore the key from a backup before the next start, which would move it aside and make another; that \
             breaks published TLSA records"
        }
    };
    Finding::new(Source::Settings, Severity::Error, error.to_string(), fix)
}
