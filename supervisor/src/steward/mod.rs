//! The steward, `mailstead steward`: the supervisor's unprivileged half, which reports the health of the whole server.
//!
//! For each request on the `health` socket it reads the status that process 1 writes, the certificate's file and the
//! volume's free space, so no answer can be stale. Its public web pages are in [`web`]. Its own test of the mail flow
//! is the [`heartbeat`].
//!
//! | page of health | answer |
//! |---|---|
//! | `GET /health/live` | 200 while process 1 runs its loop, else 503 |
//! | `GET /health/ready` | the [`report::Report`] as JSON: 200 while every daemon is ready, else 503 |
//! | `GET /metrics` | the metrics of all processes, for Prometheus |

pub mod acme;
mod certificate;
pub mod findings;
mod heartbeat;
mod metrics;
mod observation;
mod pages;
mod report;
mod server;
mod web;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover::config::{self, Steward};
use handover::notice::{CERTIFICATE, Notifier};
use handover::sockets::{self, Sockets};
use serve::daemon::{self, Daemon, DaemonError};
use serve::{Limits, ReloadPart, Service};
use tokio::sync::watch;

use crate::certificate::fingerprint;
use crate::doctor;
use acme::{Challenges, RenewalStatus, RenewalTask};
use certificate::CertificateWatch;
use findings::Findings;
use heartbeat::BeatResults;
use observation::SharedState;
use web::{ServedCertificate, Web};

/// The name of the process.
const NAME: &str = "steward";
/// Limit of connections. Health is queried by the container engine and by few people.
const CONNECTIONS: usize = 64;
/// Time for open requests at the end: they are answered in milliseconds, and a slow client can ask again.
const DRAIN: Duration = Duration::from_secs(2);

/// Runs until it receives the signal to stop.
pub fn run(config: &Path) -> ExitCode {
    daemon::run(
        NAME,
        config,
        |steward: &Steward| &steward.log,
        async |steward, sockets, daemon| run_daemon(config, steward, sockets, daemon).await,
    )
}

async fn run_daemon(
    path: &Path,
    steward: Steward,
    mut sockets: Sockets,
    daemon: Daemon,
) -> Result<(), DaemonError> {
    let listeners = sockets.take_tcp(sockets::HEALTH, &[steward.health])?;
    let live = Arc::new(ServedCertificate::default());
    load_certificate(&live, &steward, &daemon.notifier);
    let challenges = Arc::new(Challenges::default());
    let web = Web::new(steward.web.clone(), Arc::clone(&live), Arc::clone(&challenges))
        .map_err(DaemonError::other)?;
    let open = web.start(&mut sockets, &daemon.drain).map_err(DaemonError::other)?;

    let findings = Findings::default();
    let status = RenewalStatus::new(findings.clone());
    let write_lock = Arc::new(Mutex::new(()));
    let settings_sender = renewal_settings(&steward).map(|settings| {
        let (sender, settings) = watch::channel(settings);
        let task = RenewalTask {
            settings,
            live: Arc::clone(&live),
            challenges,
            open,
            notifier: Arc::clone(&daemon.notifier),
            status: status.clone(),
            write_lock: Arc::clone(&write_lock),
        };
        daemon.drain.spawn(task.run(daemon.drain.stop()));
        sender
    });

    let current = watch::Sender::new(Arc::new(steward));
    let certificate_watch = CertificateWatch {
        steward: current.subscribe(),
        live: Arc::clone(&live),
        notifier: Arc::clone(&daemon.notifier),
        findings: findings.clone(),
        write_lock,
    };
    // Ends with the process.
    tokio::spawn(certificate_watch.run());
    let results = BeatResults::default();
    let session = {
        let (current, known) = (
            current.subscribe(),
            SharedState {
                findings: findings.clone(),
                heartbeat: results.clone(),
                renewal: settings_sender.is_some().then(|| status.clone()),
                web: Some(web.numbers()),
            },
        );
        move |connection| {
            let steward = current.borrow().clone();
            server::serve_connection(connection, steward, known.clone())
        }
    };
    Service::new("health", Limits::new(CONNECTIONS, 0), server::BUSY)
        .start(listeners, &daemon.drain, session)
        .map_err(DaemonError::Listen)?;

    daemon.drain.spawn(heartbeat::run(current.subscribe(), results, findings.clone(), daemon.drain.stop()));
    // Ends with the process.
    tokio::spawn(doctor::watch::watch(path.with_file_name("presence.toml"), findings));

    let notifier = Arc::clone(&daemon.notifier);
    let refusals = daemon.refusals.clone();
    daemon
        .run_until_stopped(DRAIN, |_| {
            let Some(steward) =
                refusals.accept_or_record(ReloadPart::Configuration, config::load::<Steward>(path))
            else {
                return;
            };
            web.site.store(Arc::new(steward.web.clone()));
            load_certificate(&live, &steward, &notifier);
            // Sent even if nothing has changed: an operator who reloads expects an attempt to get a certificate.
            if let (Some(sender), Some(settings)) = (&settings_sender, renewal_settings(&steward)) {
                sender.send_replace(settings);
            }
            current.send_replace(Arc::new(steward));
        })
        .await;
    Ok(())
}

/// The settings of the renewal task, if the steward obtains the certificate.
fn renewal_settings(steward: &Steward) -> Option<acme::RenewalSettings> {
    let renewal = steward.renewal.clone()?;
    let (web, tls, dns_servers) = (steward.web.clone(), steward.tls.clone(), steward.dns_servers.clone());
    Some(acme::RenewalSettings { renewal, web, tls, dns_servers })
}

/// Starts serving the certificate on disk, and logs which one it is. The steward works without one too.
fn load_certificate(live: &ServedCertificate, steward: &Steward, notifier: &Notifier) {
    if let Err(error) = live.load(&steward.tls) {
        tracing::error!(%error, "keeping the current certificate");
        return;
    }
    if let Ok(fingerprint) = fingerprint(&steward.tls.certificate) {
        notifier.send_fact(CERTIFICATE, fingerprint);
    }
}
