use std::net::SocketAddr;

use super::*;

fn peer(text: &str) -> Peer {
    SocketAddr::new(text.parse().unwrap(), 9).into()
}

#[test]
fn the_total_limit_holds_and_an_ended_session_makes_room() {
    let limits = Limits::new(2, 0);
    let first = limits.admit(peer("192.0.2.1")).unwrap();
    let _second = limits.admit(peer("192.0.2.1")).unwrap();
    assert_eq!(limits.admit(Peer::Unix).unwrap_err(), Refusal::Total);
    drop(first);
    assert!(limits.admit(Peer::Unix).is_ok());
}

#[test]
fn one_address_is_an_ipv4_address_or_an_ipv6_network() {
    let limits = Limits::new(0, 1);
    let _four = limits.admit(peer("192.0.2.1")).unwrap();
    let _six = limits.admit(peer("2001:db8::1")).unwrap();
    for full in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff"] {
        assert_eq!(limits.admit(peer(full)).unwrap_err(), Refusal::Address, "{full}");
    }
    for free in ["192.0.2.2", "2001:db8:0:1::1"] {
        assert!(limits.admit(peer(free)).is_ok(), "{free}");
    }
    let _local = (limits.admit(Peer::Unix).unwrap(), limits.admit(Peer::Unix).unwrap());
}

#[test]
fn ended_sessions_leave_no_entries() {
    let limits = Limits::new(0, 5);
    drop((limits.admit(peer("192.0.2.1")), limits.admit(peer("192.0.2.1"))));
    assert!(limits.lock().by_network.is_empty());
    assert_eq!(limits.lock().total, 0);
}

#[test]
fn changed_limits_apply_to_new_connections() {
    let limits = Limits::new(1, 0);
    let _first = limits.admit(Peer::Unix).unwrap();
    limits.change(2, 0);
    assert!(limits.admit(Peer::Unix).is_ok());
}

/// A session that has greeted its peer and waits for it.
fn waiting(limits: &Arc<Limits>, address: &str) -> Permit {
    let permit = limits.admit(peer(address)).unwrap();
    permit.pace().record(crate::pace::Direction::Reading, None);
    permit
}

#[test]
fn at_the_total_limit_the_network_with_most_sessions_loses_one() {
    let limits = Limits::new(6, 3);
    let greedy: Vec<_> = (0..3).map(|_| waiting(&limits, "192.0.2.1")).collect();
    let _others: Vec<_> = (2..5).map(|last| waiting(&limits, &format!("192.0.2.{last}"))).collect();
    let good = limits.admit(peer("198.51.100.1")).unwrap();
    assert_eq!(greedy.iter().filter(|permit| permit.pace().has_ended()).count(), 1);
    assert_eq!(limits.lock().total, 6);
    assert_eq!(limits.admit(peer("192.0.2.1")).unwrap_err(), Refusal::Total, "two sessions are its share");
    drop(greedy);
    let left = |open: &Open| (open.total, open.by_network.len());
    assert_eq!(left(&limits.lock()), (4, 4), "a session is released once");
    drop(good);
}

#[test]
fn a_working_session_is_not_evicted_nor_a_user_with_few_sessions() {
    let limits = Limits::new(3, 0);
    let working = limits.admit(peer("192.0.2.1")).unwrap();
    let users = ["192.0.2.1", "192.0.2.1"].map(|address| waiting(&limits, address));
    users[0].pace().authenticated("ann@example.org");
    users[1].pace().authenticated("bob@example.org");
    assert_eq!(limits.admit(peer("198.51.100.1")).unwrap_err(), Refusal::Total);
    users[1].pace().authenticated("ann@example.org");
    assert!(limits.admit(peer("198.51.100.1")).is_ok(), "two of three sessions are more than a quarter");
    assert!(!working.pace().has_ended());
}

#[test]
fn few_evicted_sessions_may_be_ending_at_one_time() {
    let limits = Limits::new(8, 0);
    let _greedy: Vec<_> = (0..8).map(|_| waiting(&limits, "192.0.2.1")).collect();
    let newcomers: Vec<_> = (1..8).map(|last| limits.admit(peer(&format!("198.51.100.{last}")))).collect();
    let admitted = newcomers.iter().filter(|permit| permit.is_ok()).count();
    assert_eq!(admitted, 3, "a quarter of the connections and one");
}

#[tokio::test(start_paused = true)]
async fn a_session_over_its_time_limit_is_ended() {
    let limits = Limits::new(8, 0);
    limits.set_time_limits(TimeLimits::for_users(&handover::config::SessionTimeouts::default()));
    limits.start_watching();
    let permit = waiting(&limits, "192.0.2.1");
    let begin = Instant::now();
    assert_eq!(permit.pace().ended().await, Expiry::Unproved);
    assert_eq!(begin.elapsed(), Duration::from_secs(180));
}
