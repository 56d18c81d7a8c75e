//! The operator's commands in the container, where root may not read other users' files.

use nix::sys::signal::{Signal, kill};
use tests::appliance::{Appliance, Container};
use tests::smtp::message;

const STRANGER: &str = "stranger@example.com";

/// The output of a command.
#[track_caller]
fn stderr_of(appliance: &Appliance, command: &[&str]) -> String {
    let output = appliance.enter(&[&["/bin/mailstead"], command].concat()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    errors
}

#[test]
fn adding_a_former_user_reports_the_kept_mail() {
    let mut appliance = Container::new().serve();
    let add = ["user", "add", "zoe", "--generate"];
    let first = stderr_of(&appliance, &add);
    assert!(!first.contains("There is mail"), "{first}");
    let services = appliance.services();
    let (_, domain) = services.user(0).split_once('@').unwrap();
    let zoe = format!("zoe@{domain}");
    appliance.inside(|| {
        let letter = message(STRANGER, &zoe, "kept");
        services.smtp_client().mail(STRANGER, &[&zoe], &letter).unwrap().expect(250);
    });
    stderr_of(&appliance, &["user", "delete", "zoe"]);
    let again = stderr_of(&appliance, &add);
    assert!(again.contains(&format!("There is mail in /data/mail/{domain}/zoe already")), "{again}");
    assert!(again.contains("zoe@") && again.contains("was added."), "{again}");
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn a_generated_password_is_printed_even_without_a_daemons_confirmation() {
    let mut appliance = Container::new().serve();
    let mda = appliance.role("mda");
    kill(mda, Signal::SIGSTOP).unwrap();
    let unconfirmed = |command: &[&str]| {
        let output = appliance.enter(&[&["/bin/mailstead"], command].concat()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(76), "{errors}");
        assert!(
            errors.contains("the change is stored") && errors.contains("mda did not confirm it"),
            "{errors}"
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let added = unconfirmed(&["user", "add", "zoe", "--generate"]);
    let device = unconfirmed(&["app-password", "add", "ann", "telephone"]);
    kill(mda, Signal::SIGCONT).unwrap();
    let services = appliance.services();
    appliance.inside(|| {
        for (user, password) in [("zoe@example.org", &added), (services.user(0), &device)] {
            let reply = services.submission_session().log_in(user, password).unwrap();
            assert_eq!(reply.code, 235, "{user}: {reply:?}");
        }
    });
    assert_eq!(appliance.stop(), Some(0));
}
