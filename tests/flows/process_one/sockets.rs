//! No connection is refused, whatever happens to the daemons, and nothing that was acknowledged is lost.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tests::appliance::Container;
use tests::dns::NameServer;
use tests::services::Services;
use tests::smtp::{Smtp, message};
use tests::wait;

/// The number of times that each daemon is killed.
const KILLS: usize = 100;

/// In the appliance's own network.
const NAME_SERVER: &str = "127.0.0.1:53";

const STRANGER: &str = "stranger@example.com";

#[test]
fn no_connection_is_refused_while_each_daemon_is_killed_a_hundred_times() {
    let mut appliance = Container::new().set("MAIL_DNS_SERVERS", NAME_SERVER).serve();
    let services = appliance.services();
    let over = AtomicBool::new(false);
    let connections = AtomicUsize::new(0);
    let acknowledged = Mutex::new(Vec::new());
    appliance.inside(|| {
        // So that no message waits for a name server that does not answer.
        let _dns = NameServer::start_on(NAME_SERVER.parse().unwrap());
        thread::scope(|scope| {
            let names = ["smtp", "submissions", "submission", "imap", "imaps", "health", "http"];
            let mut load: Vec<_> = names
                .iter()
                .map(|service| {
                    let address = services.address(service);
                    let (over, connections) = (&over, &connections);
                    scope.spawn(move || call_until(address, over, connections))
                })
                .collect();
            for sender in ["one", "two"] {
                let (services, over, acknowledged) = (&services, &over, &acknowledged);
                load.push(scope.spawn(move || send_until(services, sender, over, acknowledged)));
            }
            let killers: Vec<_> = ["mta", "mda", "steward"]
                .map(|role| {
                    let (appliance, services, acknowledged) = (&appliance, &services, &acknowledged);
                    scope.spawn(move || {
                        for _ in 0..KILLS {
                            let before = acknowledged.lock().unwrap().len();
                            appliance.kill_and_await(role);
                            // In the middle of work, and not again before some of it was done.
                            wait::until_true(&format!("the {role} serves"), || is_served_by(role, services));
                            wait::until_true("mail goes through", || {
                                role == "steward" || acknowledged.lock().unwrap().len() > before
                            });
                        }
                    })
                })
                .into();
            let killed: Vec<_> = killers.into_iter().map(|killer| killer.join()).collect();
            over.store(true, Ordering::SeqCst);
            for caller in load {
                caller.join().expect("a connection was refused");
            }
            for killer in killed {
                killer.expect("a daemon did not come back");
            }
        });
        let acknowledged = acknowledged.into_inner().unwrap();
        let inbox = services.inbox(0).concat();
        for subject in &acknowledged {
            assert!(
                inbox.contains(&format!("Subject: {subject}\r\n")),
                "{subject} was acknowledged and is lost"
            );
        }
        println!(
            "{} connections, none refused; {} messages acknowledged, none lost",
            connections.load(Ordering::SeqCst),
            acknowledged.len()
        );
    });
    for role in ["mta", "mda", "steward"] {
        assert_eq!(appliance.restarts(role), KILLS as u64, "{role}");
    }
    assert_eq!(appliance.stop(), Some(0));
}

/// True if the daemon greets a client.
fn is_served_by(role: &str, services: &Services) -> bool {
    let (service, request) = match role {
        "mta" => ("smtp", ""),
        "mda" => ("imap", ""),
        _ => ("health", "GET /health/live HTTP/1.0\r\n\r\n"),
    };
    let mut connection = TcpStream::connect(services.address(service)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    connection.write_all(request.as_bytes()).is_ok()
        && connection.read(&mut [0; 1]).is_ok_and(|octets| octets == 1)
}

/// Connects again and again. An accepted connection may be cut when its daemon is killed; one that waits to be accepted
/// is not.
fn call_until(address: SocketAddr, over: &AtomicBool, connections: &AtomicUsize) {
    while !over.load(Ordering::SeqCst) {
        let mut connection = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        connections.fetch_add(1, Ordering::SeqCst);
        // A short wait: the next round connects again.
        connection.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let _ = connection.read(&mut [0; 1]);
    }
}

/// Sends message after message and records those that were acknowledged.
fn send_until(services: &Services, sender: &str, over: &AtomicBool, acknowledged: &Mutex<Vec<String>>) {
    let to = services.user(0);
    // From another address than the clients that only connect, of which there are as many as one address may open.
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, services.address("smtp").port()));
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let subject = format!("under-fire-{sender}-{number}");
        let sent = Smtp::connect(address).and_then(|mut session| {
            session.hello()?;
            session.mail(STRANGER, &[to], &message(STRANGER, to, &subject))
        });
        match sent {
            Ok(reply) if reply.code == 250 => acknowledged.lock().unwrap().push(subject),
            // The MDA is dead at this moment.
            Ok(reply) => assert!((400..500).contains(&reply.code), "{reply:?}"),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => panic!("refused: {error}"),
            // The MTA died in the middle of the session.
            Err(_) => {}
        }
    }
}
