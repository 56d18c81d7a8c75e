//! Installs an obtained certificate and records the outcome of the order in the ledger.

use super::*;

impl RenewalTask {
    /// Writes a certificate, starts serving it and notifies process 1. If our disk fails, the certificate is not lost:
    /// its order stays open, and the authority sends it again.
    pub(super) fn install(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        pem: &str,
        names: &[String],
    ) -> CheckOutcome {
        let now = http::now();
        let installed = issued_certificate::key(&settings.tls).map_err(InstallError::from).and_then(|key| {
            let _writing = self.write_lock.lock().unwrap_or_else(PoisonError::into_inner);
            tokio::task::block_in_place(|| issued_certificate::install(&settings.tls, pem, names, &key, now))
        });
        match installed {
            Ok(facts) => {
                self.finish(state, Outcome::Issued { lifetime: Some(facts.not_after - facts.not_before) });
                if let Err(error) = self.live.load(&settings.tls) {
                    tracing::error!(%error, "cannot load the new certificate");
                }
                if let Some(current) = IssuedCertificate::load(&settings.tls) {
                    self.notifier.send_fact(CERTIFICATE, &current.fingerprint);
                }
                tracing::info!(names = names.join(","), "certificate installed");
                CheckOutcome::Installed
            }
            Err(error) => {
                let (why, fix) = (error.to_string(), error.fix());
                let why = match error.is_of_certificate() {
                    true => why,
                    false => format!("cannot write the new certificate: {why}"),
                };
                let reason = Reason::new(why, fix);
                let outcome = match error.is_of_certificate() {
                    true => Outcome::Unusable { reason: reason.clone() },
                    false => Outcome::Pending {
                        tries: 1,
                        next: now + 60,
                        is_from_authority: false,
                        reason: reason.clone(),
                    },
                };
                self.finish(state, outcome);
                let orders = state.ledger.at(&settings.renewal.authority.directory);
                let wait = backoff::may_order(&orders, names, now, false).err();
                let next = wait.map_or(now + 60, |wait| wait.until);
                CheckOutcome::Failed { reason, next, is_about_names: false }
            }
        }
    }

    pub(super) fn finish(&self, state: &mut TaskState, outcome: Outcome) {
        if let Err(error) = tokio::task::block_in_place(|| state.ledger.finish(outcome)) {
            tracing::error!(%error, "cannot record the outcome of an order");
        }
    }
}
