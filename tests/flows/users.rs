//! The operator's commands: their changes are in effect in the running server when they return.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::demo::Demo;
use tests::imap::Imap;
use tests::operator::Operator;
use tests::smtp::{Smtp, message};
use tests::wait;

/// The statuses of `docs/settings.md`.
const USAGE: i32 = 64;
const NO_SUCH_ACCOUNT: i32 = 67;

fn operator(demo: &Demo) -> Operator {
    Operator::of(&demo.volume())
}

/// An IMAP session that has not logged in.
fn imap(demo: &Demo) -> Imap {
    Imap::connect_secure(demo.services.address("imaps"), demo.services.tls_config(), &demo.services.hostname)
        .unwrap()
}

/// Logs in over IMAP.
fn reader(demo: &Demo, user: &str, password: &str) -> Imap {
    let mut session = imap(demo);
    session.log_in(user, password).unwrap().ok();
    session
}

/// Logs in over SMTP.
fn submitter(demo: &Demo, user: &str, password: &str) -> Smtp {
    let mut session = demo.services.submission_session();
    session.log_in(user, password).unwrap().expect(235);
    session
}

/// Checks that neither protocol accepts the login, at the first attempt.
#[track_caller]
fn assert_login_refused(demo: &Demo, user: &str, password: &str) {
    let answer = imap(demo).log_in(user, password).unwrap();
    assert!(answer.tagged.starts_with("NO [AUTHENTICATIONFAILED]"), "{answer:?}");
    demo.services.submission_session().log_in(user, password).unwrap().expect_status(535, "5.7.8");
}

/// Waits until the server has ended the session.
#[track_caller]
fn await_session_end(session: &mut Imap) {
    wait::until_true("the session ends", || session.command("NOOP").is_err());
}

#[test]
fn a_user_added_while_others_are_connected_exists_at_once() {
    let demo = Demo::start();
    let mut idler = demo.services.imap_client(0);
    idler.command("SELECT INBOX").unwrap().ok();
    let answer = idler.idle_until("EXISTS", || {
        operator(&demo).run_with(&["user", "add", "eve"], "correct horse\n").ok();
        let mut eve = submitter(&demo, "eve@demo.test", "correct horse");
        let letter = message("eve@demo.test", "ann@demo.test", "from-eve");
        eve.mail("eve@demo.test", &["ann@demo.test"], &letter).unwrap().expect(250);
    });
    answer.unwrap().ok();

    let mut ann = demo.services.submission_client(0);
    let letter = message("ann@demo.test", "eve@demo.test", "to-eve");
    ann.mail("ann@demo.test", &["eve@demo.test"], &letter).unwrap().expect(250);
    let mut eve = reader(&demo, "eve", "correct horse");
    eve.command("SELECT INBOX").unwrap().ok().containing("1 EXISTS");
    idler.command("NOOP").unwrap().ok();

    let listed: Value =
        serde_json::from_str(&operator(&demo).run(&["user", "list", "--json"]).ok().stdout).unwrap();
    let eve = listed.as_array().unwrap().iter().find(|user| user["address"] == "eve@demo.test").unwrap();
    assert_eq!((&eve["enabled"], &eve["declared"]), (&Value::Bool(true), &Value::Bool(false)));
}

#[test]
fn a_new_password_takes_effect_at_once_and_ends_sessions_with_the_old_one() {
    let demo = Demo::start();
    let operator = operator(&demo);
    let old = operator.run(&["user", "add", "eve", "--generate"]).secret();
    let mut session = reader(&demo, "eve", &old);
    let mut submission = submitter(&demo, "eve", &old);
    let new = operator.run(&["user", "passwd", "eve@demo.test", "--generate"]).secret();
    assert_login_refused(&demo, "eve", &old);
    await_session_end(&mut session);
    submission.reply().unwrap().expect_status(421, "4.7.0");
    reader(&demo, "eve", &new);
    submitter(&demo, "eve", &new);

    // A hash from elsewhere, of `sesame sesame`, as openssl passwd -6 writes it.
    let hash =
        "$6$a/b.c$wr0lA3zyHIyb2PmCKlKvvI2Ri3Rr9TuHAoiT1o/fmzgDaNH8095TzeZn0YM5UUq1ZhyjNycVS8MIW5y/dxeGZ.";
    operator.run_with(&["user", "passwd", "eve"], hash).ok();
    assert_login_refused(&demo, "eve", &new);
    reader(&demo, "eve", "sesame sesame");
}

#[test]
fn a_list_shows_the_last_use_of_each_app_password() {
    let demo = Demo::start();
    let telephone = operator(&demo).run(&["app-password", "add", "ann", "telephone"]).secret();
    operator(&demo).run(&["app-password", "add", "ann", "old tablet"]).ok();
    reader(&demo, "ann", &telephone);
    // A daemon writes the last uses once a minute and when it stops.
    let daemon = demo.role("mda");
    kill(daemon, Signal::SIGTERM).unwrap();
    let listed = wait::until("the list shows the use", || {
        let printed = operator(&demo).run(&["app-password", "list", "ann", "--json"]).ok().stdout;
        let listed: Value = serde_json::from_str(&printed).unwrap();
        listed[0]["last_used"].is_string().then_some(listed)
    });
    assert_eq!((&listed[0]["name"], &listed[0]["last_protocol"]), (&"telephone".into(), &"imap".into()));
    assert_eq!((&listed[1]["name"], &listed[1]["last_used"]), (&"old tablet".into(), &Value::Null));
    let table = operator(&demo).run(&["app-password", "list", "ann"]).ok().stdout;
    assert!(table.contains("LAST USED") && table.contains(" imap") && table.contains("never"), "{table}");
}

#[test]
fn each_device_has_its_own_password_until_it_is_revoked() {
    let demo = Demo::start();
    let operator = operator(&demo);
    let telephone = operator.run(&["app-password", "add", "ann", "telephone"]).secret();
    let laptop = operator.run(&["app-password", "add", "ann", "Ann's laptop"]).secret();
    operator.run(&["app-password", "add", "ann", "Telephone"]).refused(USAGE, "already");
    let mut on_telephone = reader(&demo, "ann", &telephone);
    let mut sending = submitter(&demo, "ann", &telephone);
    let mut on_laptop = reader(&demo, "ann", &laptop.to_uppercase().replace('-', " "));
    submitter(&demo, "ann", &laptop);

    operator.run(&["app-password", "revoke", "ann", "telephone"]).ok();
    assert_login_refused(&demo, "ann", &telephone);
    await_session_end(&mut on_telephone);
    sending.reply().unwrap().expect_status(421, "4.7.0");
    on_laptop.command("NOOP").unwrap().ok();
    demo.services.imap_client(0);

    let listed = operator.run(&["app-password", "list", "ann", "--json"]).ok().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["name"], "Ann's laptop");
    let accounts = std::fs::read_to_string(demo.volume().join("accounts.toml")).unwrap();
    assert!(!accounts.contains(&laptop) && !accounts.contains(&laptop.replace('-', "")));
    operator.run(&["app-password", "revoke", "ann", "tablet"]).refused(NO_SUCH_ACCOUNT, "app-password list");
}

#[test]
fn a_disabled_user_is_logged_out_at_once_and_stays_disabled_across_a_restart() {
    let mut demo = Demo::start_with(&["--keep"]);
    let ann = demo.services.users[0].clone();
    let mut session = demo.services.imap_client(0);
    let mut submission = demo.services.submission_client(0);
    operator(&demo).run(&["user", "disable", "ann"]).ok();
    assert_login_refused(&demo, &ann.address, &ann.password);
    await_session_end(&mut session);
    submission.reply().unwrap().expect_status(421, "4.7.0");
    let mut stranger = demo.services.smtp_client();
    stranger.command("MAIL FROM:<x@example.com>").unwrap().expect(250);
    stranger.command("RCPT TO:<ann@demo.test>").unwrap().expect_status(550, "5.1.1");

    // She is declared, so she cannot be deleted, and a restart does not enable her.
    operator(&demo).run(&["user", "delete", "ann"]).refused(USAGE, "declared in MAIL_USERS");
    assert!(demo.process().stop().success());
    // The command also works while the server is stopped.
    operator(&demo).run(&["app-password", "add", "ann", "later"]).ok();
    demo.start_again();
    let ann = demo.services.users[0].clone();
    assert_login_refused(&demo, &ann.address, &ann.password);
    operator(&demo).run(&["user", "enable", "ann"]).ok();
    reader(&demo, &ann.address, &ann.password);
}

#[test]
fn the_mail_of_a_deleted_user_is_kept_unless_it_is_purged() {
    let demo = Demo::start();
    let operator = operator(&demo);
    for purged in [false, true] {
        let password = operator.run(&["user", "add", "eve", "--generate"]).secret();
        let mut session = reader(&demo, "eve", &password);
        session.append("INBOX", &message("eve@demo.test", "eve@demo.test", "kept")).unwrap().ok();
        let maildir = demo.mail.join("demo.test/eve/Maildir");
        assert!(maildir.exists());
        if purged {
            operator.run(&["user", "delete", "eve", "--purge-mail"]).refused(USAGE, "--yes");
            session.command("NOOP").unwrap().ok();
            operator.run(&["user", "delete", "eve", "--purge-mail", "--yes"]).ok();
        } else {
            operator.run(&["user", "delete", "eve"]).ok();
        }
        assert_login_refused(&demo, "eve", &password);
        await_session_end(&mut session);
        assert_eq!(maildir.exists(), !purged);
        operator.run(&["user", "disable", "eve"]).refused(NO_SUCH_ACCOUNT, "user list");
    }
    // A later user of that name has an empty mailbox.
    let password = operator.run(&["user", "add", "eve", "--generate"]).secret();
    reader(&demo, "eve", &password).command("SELECT INBOX").unwrap().ok().containing("0 EXISTS");
}

#[test]
fn mail_to_an_alias_arrives_while_the_alias_exists() {
    let demo = Demo::start();
    let operator = operator(&demo);
    operator.run(&["alias", "add", "office", "ann", "bob@demo.test"]).ok();
    let mut stranger = demo.services.smtp_client();
    let letter = message("x@example.com", "office@demo.test", "to-the-office");
    stranger.mail("x@example.com", &["office@demo.test"], &letter).unwrap().expect(250);
    for user in [0, 1] {
        demo.services.await_message(user, "to-the-office");
    }
    operator.run(&["alias", "add", "office", "ann"]).refused(USAGE, "already");
    operator.run(&["alias", "add", "sales", "nobody"]).refused(USAGE, "neither a user nor an alias");
    let listed: Value =
        serde_json::from_str(&operator.run(&["alias", "list", "--json"]).ok().stdout).unwrap();
    assert_eq!(listed[0]["alias"], "office@demo.test");
    operator.run(&["alias", "delete", "office"]).ok();
    stranger.command("MAIL FROM:<x@example.com>").unwrap().expect(250);
    stranger.command("RCPT TO:<office@demo.test>").unwrap().expect_status(550, "5.1.1");
}

#[test]
fn concurrent_commands_do_not_lose_each_others_changes() {
    let demo = Demo::start();
    let names: Vec<String> = (0..8).map(|number| format!("user{number}")).collect();
    thread::scope(|scope| {
        for name in &names {
            let operator = operator(&demo);
            scope.spawn(move || operator.run_with(&["user", "add", name], "correct horse").ok());
        }
    });
    for name in &names {
        reader(&demo, name, "correct horse");
    }
}

#[test]
fn a_terminal_asks_for_a_password_twice_and_never_shows_it() {
    let demo = Demo::start();
    let operator = operator(&demo);
    let differing = ["correct horse", "correct hose"];
    let differed = operator.run_at_terminal(&["user", "add", "eve"], &differing).refused(USAGE, "differ");
    let typed = operator.run_at_terminal(&["user", "add", "eve"], &["correct horse"; 2]).ok();
    assert!(typed.stderr.contains("New password for eve@demo.test: "), "{typed:?}");
    for shown in [differed.stderr, typed.stderr] {
        assert!(!shown.contains("horse") && !shown.contains("hose"), "{shown}");
    }
    let mut session = reader(&demo, "eve", "correct horse");
    let kept = operator.run_at_terminal(&["user", "delete", "eve", "--purge-mail"], &["yes"]);
    kept.refused(USAGE, "does not match");
    session.command("NOOP").unwrap().ok();
    operator.run_at_terminal(&["user", "delete", "eve", "--purge-mail"], &["eve@demo.test"]).ok();
    await_session_end(&mut session);
}

#[test]
fn errors_are_reported_with_their_fix_and_no_password_is_repeated() {
    let demo = Demo::start();
    let operator = operator(&demo);
    operator.run_with(&["user", "add", "ann"], "correct horse").refused(USAGE, "user passwd");
    operator.run_with(&["user", "add", "eve"], "short").refused(USAGE, "at least 8");
    operator.run_with(&["user", "add", "eve"], "").refused(USAGE, "empty");
    operator.run_with(&["user", "add", "eve"], "{SSHA}abcdefgh").refused(USAGE, "not supported");
    operator.run_with(&["user", "add", "eve@elsewhere.example"], "x").refused(USAGE, "MAIL_DOMAIN");
    operator.run_with(&["user", "add", "e/ve"], "x").refused(USAGE, "is not a valid user name");
    let two = operator
        .run_with(&["user", "add", "eve"], "one secret\nanother")
        .refused(USAGE, "more than one line");
    assert!(!two.stderr.contains("secret"));
    operator.run(&["user", "passwd", "eve"]).refused(NO_SUCH_ACCOUNT, "no user eve@demo.test");
    // Passwords are not accepted as arguments.
    operator.run(&["user", "add", "eve", "correct horse"]).refused(USAGE, "unexpected argument");
    Operator::of(std::path::Path::new("/nonexistent")).run(&["user", "list"]).refused(74, "/nonexistent");
}
