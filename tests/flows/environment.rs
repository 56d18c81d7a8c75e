//! A wrong environment: every fault is reported at once, each with its variable's name and an example.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use tests::program;

/// EX_USAGE of sysexits.
const USAGE: i32 = 64;

fn start_with(variables: &[(&str, &str)]) -> Output {
    Command::new(program::mailstead())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the program starts")
}

#[test]
fn all_faults_are_reported_together() {
    let output = start_with(&[
        ("MAIL_DOMAIN", "not a domain"),
        ("MAIL_USERS", "ann"),
        ("MAIL_HOSTNAME", "-bad-.example.org"),
        ("MAIL_DOMIAN", "example.org"),
    ]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(USAGE), "{errors}");
    for variable in ["MAIL_DOMAIN", "MAIL_USERS", "MAIL_HOSTNAME", "MAIL_DOMIAN"] {
        assert!(errors.contains(variable), "{variable} is missing in\n{errors}");
    }
    assert!(errors.contains("example.org"), "there is an example in\n{errors}");
}

#[test]
fn an_empty_environment_names_the_required_settings() {
    let output = start_with(&[]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(USAGE), "{errors}");
    assert!(errors.contains("MAIL_DOMAIN=example.org"), "{errors}");
}

#[test]
fn a_password_is_not_repeated_in_the_report() {
    let output = start_with(&[("MAIL_DOMAIN", "not a domain"), ("MAIL_USERS", "ann:sesame-open\nbob")]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(USAGE), "{errors}");
    assert!(!errors.contains("sesame-open"), "{errors}");
}
