use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use super::*;

const INSIDE: &str = "MAILSTEAD_TEST_INSIDE";
const THIS: &str = "outbound::own::tests::an_address_is_not_our_own_because_it_can_be_bound";

/// RFC 5735 and 3849: a machine has these only in a network namespace of its own.
const OURS: [&str; 2] = ["192.0.2.1", "2001:db8::1"];
/// Addresses of the same networks, and of others.
const FOREIGN: [&str; 3] = ["192.0.2.9", "2001:db8::9", "198.51.100.1"];

#[test]
fn only_addresses_that_we_listen_on_are_our_own() {
    let own = OwnAddresses::new(["[::]:25".parse().unwrap(), "192.0.2.1:2525".parse().unwrap()]);
    for (target, ours) in [
        ("127.0.0.1:25", true),
        ("0.0.0.0:25", true),
        ("[::1]:25", true),
        ("[::ffff:127.0.0.1]:25", true),
        ("127.0.0.1:26", false),
        ("192.0.2.1:2525", true),
        ("192.0.2.1:25", false),
        ("192.0.2.2:2525", false),
    ] {
        assert_eq!(own.contains(target.parse().unwrap()), ours, "{target}");
    }
}

#[test]
fn an_address_is_not_our_own_because_it_can_be_bound() {
    if std::env::var_os(INSIDE).is_some() {
        return look_around();
    }
    let script = "ip link set lo up && ip address add 192.0.2.1/24 dev lo && ip address add 2001:db8::1/64 dev lo nodad && \
                  echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind && exec \"$@\"";
    let mut command = Command::new("unshare");
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    let output = command
        .args(["--net", "--", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", THIS, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (of util-linux) is installed");
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{errors}");
}

fn look_around() {
    for every in ["0.0.0.0:25", "[::]:25"] {
        let own = OwnAddresses::new([every.parse().unwrap()]);
        for ip in OURS {
            assert!(own.contains(SocketAddr::new(ip.parse().unwrap(), 25)), "{ip} by {every}");
        }
        for ip in FOREIGN {
            UdpSocket::bind((ip, 0)).expect("ip_nonlocal_bind is set");
            assert!(!own.contains(SocketAddr::new(ip.parse().unwrap(), 25)), "{ip} by {every}");
        }
    }
}
