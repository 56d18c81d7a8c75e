//! An external certificate, as certbot or Kubernetes provide it: readable by root alone, behind a link that is switched
//! to another folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use tests::appliance::{Appliance, Container, HOSTNAME};
use tests::certificate;
use tests::imap::Imap;
use tests::smtp::Smtp;
use tests::wait;

/// A new pair in a folder of its own, and a client that trusts it alone.
fn write_pair(folder: &Path) -> Arc<ClientConfig> {
    fs::create_dir_all(folder).unwrap();
    let tls = certificate::write(HOSTNAME, folder);
    fs::set_permissions(&tls.key, fs::Permissions::from_mode(0o600)).unwrap();
    certificate::trusting(&tls.certificate)
}

/// Points the link at another target, atomically.
fn switch_link(link: &Path, to: &str) {
    let new = link.with_extension("new");
    symlink(to, &new).unwrap();
    fs::rename(new, link).unwrap();
}

#[track_caller]
fn await_certificate(appliance: &Appliance, trust: &Arc<ClientConfig>) {
    let services = appliance.services();
    let (imaps, submissions) = (services.address("imaps"), services.address("submissions"));
    appliance.inside(|| {
        wait::until("the MDA shows it", || Imap::connect_secure(imaps, trust.clone(), HOSTNAME).ok());
        wait::until("the MTA shows it", || Smtp::connect_secure(submissions, trust.clone(), HOSTNAME).ok());
    });
}

#[test]
fn an_external_certificate_is_replaced_without_ending_sessions_and_a_bad_one_is_ignored() {
    let container = Container::new()
        .set("MAIL_TLS_CERT_FILE", "/data/brought/live/certificate.pem")
        .set("MAIL_TLS_KEY_FILE", "/data/brought/live/key.pem");
    let external = container.volume().join("brought");
    let first = write_pair(&external.join("one"));
    let second = write_pair(&external.join("two"));
    fs::set_permissions(&external, fs::Permissions::from_mode(0o700)).unwrap();
    switch_link(&external.join("live"), "one");
    let mut appliance = container.serve();
    await_certificate(&appliance, &first);
    let imaps = appliance.services().address("imaps");
    let mut session = appliance.inside(|| Imap::connect_secure(imaps, first.clone(), HOSTNAME).unwrap());

    switch_link(&external.join("live"), "two");
    await_certificate(&appliance, &second);
    session.command("NOOP").unwrap().ok();

    // The key of another certificate: the previous one stays in use, and the error is reported.
    fs::copy(external.join("one/key.pem"), external.join("two/key.pem")).unwrap();
    wait::until_true("the error is reported", || {
        let concerns = appliance.status().map(|status| status.concerns).unwrap_or_default();
        concerns.iter().any(|concern| {
            concern.problem.contains("MAIL_TLS_CERT_FILE") && concern.problem.contains("stays in use")
        })
    });
    await_certificate(&appliance, &second);
    session.command("NOOP").unwrap().ok();

    // A start with nothing better to present uses its own; the volume's key was made once and is untouched.
    let key = fs::read(appliance.volume().join("tls/key.pem")).unwrap();
    assert_eq!(appliance.stop(), Some(0));
    appliance.start_again();
    let own = certificate::trusting(&appliance.volume().join("tls/ca.pem"));
    await_certificate(&appliance, &own);
    assert_eq!(fs::read(appliance.volume().join("tls/key.pem")).unwrap(), key);
}
