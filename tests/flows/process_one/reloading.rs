//! A reload and the first start run beside the loop: whatever they wait for, process 1 handles everything else.
//!
//! They are made slow by the lock of the accounts, which the test holds as a hanging command does.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tests::appliance::{Appliance, Container};
use tests::wait;

const ANN: &str = "ann:correct-horse\n";
const BOB: &str = "bob:battery-staple\n";

/// A container whose users are in a file that can be changed from outside.
fn with_users() -> (Container, PathBuf) {
    let container = Container::new().unset("MAIL_USERS").set("MAIL_USERS_FILE", "/etc/users");
    let file = container.etc().join("users");
    fs::write(&file, ANN).unwrap();
    let bind = format!("mount --bind {} etc/users", file.display());
    (container.before(&bind), file)
}

/// Acquires the lock of the accounts.
fn lock(volume: &Path) -> File {
    let lock = File::options().create(true).append(true).open(volume.join("accounts.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Requests a reload that cannot end, and waits until process 1 has received the request.
fn reload_in_vain(appliance: &Appliance) -> File {
    let held = lock(&appliance.volume());
    let before = appliance.log().matches("reloading").count();
    appliance.signal(Signal::SIGHUP);
    wait::until_true("it reloads", || appliance.log().matches("reloading").count() > before);
    held
}

fn knows_bob(appliance: &Appliance) -> bool {
    let services = appliance.services();
    appliance.inside(|| {
        let mut session = services.submission_session();
        session.log_in(services.user(1), "battery-staple").is_ok_and(|reply| reply.code == 235)
    })
}

fn refusals(appliance: &Appliance) -> usize {
    let status = appliance.status().unwrap();
    status.concerns.iter().filter(|concern| concern.problem.contains("the last reload was refused")).count()
}

#[test]
fn deaths_and_health_in_a_reload() {
    let (container, users) = with_users();
    let mut appliance = container.serve();
    let held = reload_in_vain(&appliance);
    for role in ["mta", "mda", "steward"] {
        appliance.kill_and_await(role);
        wait::until_true("it is healthy", || appliance.is_healthy());
    }
    // The content read may be old by now: one more reload follows, and not one for each signal.
    fs::write(&users, format!("{ANN}{BOB}")).unwrap();
    for _ in 0..5 {
        appliance.signal(Signal::SIGHUP);
    }
    drop(held);
    wait::until_true("bob is known", || knows_bob(&appliance));
    wait::until_true("both reloads have completed", || {
        appliance.log().matches("reload complete").count() == 2
    });
    wait::until_true("no reload was refused", || refusals(&appliance) == 0);
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
    assert_eq!(appliance.log().matches("reload complete").count(), 2);
}

#[test]
fn term_in_a_reload() {
    let (container, users) = with_users();
    let mut appliance = container.serve();
    let accounts = fs::read(appliance.volume().join("accounts.toml")).unwrap();
    fs::write(&users, format!("{ANN}{BOB}")).unwrap();
    let held = reload_in_vain(&appliance);
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
    assert_eq!(fs::read(appliance.volume().join("accounts.toml")).unwrap(), accounts);
    drop(held);
    appliance.start_again();
    assert!(knows_bob(&appliance));
}

#[test]
fn term_in_the_first_start() {
    let (container, _users) = with_users();
    let held = lock(&container.volume());
    let mut appliance = container.start();
    let steward = appliance.path("/run/mailstead/steward.toml");
    wait::until_true("it has reached the accounts", || steward.exists());
    // A reload that is requested this early is made once it is possible.
    appliance.signal(Signal::SIGHUP);
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
    appliance.restart();
    let steward = appliance.path("/run/mailstead/steward.toml");
    wait::until_true("it has reached the accounts", || steward.exists());
    appliance.signal(Signal::SIGHUP);
    drop(held);
    appliance.await_ready();
    wait::until_true("it has reloaded", || appliance.log().contains("reload complete"));
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}

#[test]
fn all_or_nothing() {
    let (container, users) = with_users();
    let mut appliance = container.serve();
    let runtime = appliance.path("/run/mailstead");
    let files = || {
        let configurations = ["mta.toml", "mda.toml", "steward.toml", "presence.toml"];
        let paths = configurations.map(|name| runtime.join(name)).into_iter();
        paths
            .chain([appliance.volume().join("accounts.toml")])
            .map(|path| fs::read_to_string(path).unwrap())
            .collect::<Vec<_>>()
    };
    let before = files();
    // A new domain changes every file, and the steward's cannot be written: a folder occupies its temporary name.
    let obstacle = runtime.join(".steward.toml.new");
    fs::create_dir(&obstacle).unwrap();
    fs::write(&users, format!("{ANN}{BOB}eve@example.net:staple-of-eve\n")).unwrap();
    appliance.signal(Signal::SIGHUP);
    wait::until_true("it is refused", || refusals(&appliance) == 1);
    assert_eq!(files(), before, "{}", appliance.log());
    assert!(!knows_bob(&appliance));
    // A daemon that is started meanwhile uses the old ones.
    appliance.kill_and_await("mta");
    assert_eq!(refusals(&appliance), 1, "it is a reason until a reload succeeds");
    fs::remove_dir(&obstacle).unwrap();
    appliance.signal(Signal::SIGHUP);
    wait::until_true("bob is known", || knows_bob(&appliance));
    wait::until_true("the refusals end", || refusals(&appliance) == 0);
    // The MDA's contains no domain.
    let changed: Vec<bool> = files().iter().zip(&before).map(|(after, before)| after != before).collect();
    assert_eq!(changed, [true, false, true, true, true]);
    let temporary: Vec<_> = fs::read_dir(&runtime)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(temporary.is_empty(), "{temporary:?}");
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}
