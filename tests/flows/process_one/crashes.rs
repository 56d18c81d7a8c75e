//! A daemon that dies is restarted, and meanwhile no client is refused.

use nix::sys::signal::{Signal, kill};
use tests::appliance::Container;
use tests::smtp::message;
use tests::wait;

#[test]
fn crash_restart() {
    let appliance = Container::new().serve();
    let services = appliance.services();
    appliance.inside(|| {
        for (role, subject) in [("mta", "after-mta"), ("mda", "after-mda"), ("steward", "after-steward")] {
            kill(appliance.role(role), Signal::SIGKILL).unwrap();
            // A client that connects now waits in the socket that process 1 has kept.
            let to = services.user(0);
            let letter = message("stranger@example.com", to, subject);
            wait::until_true("the message is accepted", || {
                let reply = services.smtp_client().mail("stranger@example.com", &[to], &letter).unwrap();
                assert!(reply.code < 500, "{reply:?}");
                reply.code == 250
            });
            services.await_message(0, subject);
        }
    });
    wait::until_true("it is healthy again", || appliance.is_healthy());
    let log = appliance.log();
    for role in ["mta", "mda", "steward"] {
        assert_eq!(appliance.restarts(role), 1, "{role}");
        let is_logged = |line: &str| {
            line.contains("exited unexpectedly") && line.contains(role) && line.contains("signal 9")
        };
        assert!(log.lines().any(is_logged), "the death of the {role} is not logged:\n{log}");
    }
}

#[test]
fn crash_loop() {
    let mut appliance = Container::new().serve();
    let services = appliance.services();
    let good = appliance.break_role("mta");
    wait::until_true("it has died again and again", || appliance.restarts("mta") >= 3);
    assert!(!appliance.is_healthy());
    // The container is up, the other daemons serve, and clients of the dead one wait.
    assert_eq!(appliance.ended(), None);
    appliance.inside(|| {
        services.imap_client(0);
        std::net::TcpStream::connect(services.address("smtp")).unwrap();
    });
    // This many attempts within this time would be a loop: the waits have grown.
    assert!(appliance.restarts("mta") < 10);
    appliance.repair_role("mta", &good);
    wait::until_true("it is healthy again", || appliance.is_healthy());
    appliance.inside(|| services.smtp_client());
    assert_eq!(appliance.stop(), Some(0));
}
