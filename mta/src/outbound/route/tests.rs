use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn selected(records: &[(u16, &str)]) -> Exchanges {
    let records =
        records.iter().map(|(preference, exchange)| (*preference, (*exchange).to_owned())).collect();
    // The shuffle is passed in: here it reverses equals.
    select(records, &domain("mail.example.org"), |equals| equals.reverse())
}

fn hosts(names: &[&str]) -> Exchanges {
    Exchanges::Hosts(names.iter().map(|name| domain(name)).collect())
}

#[test]
fn exchanges_are_tried_by_preference_and_equals_at_random() {
    for (records, expected) in [
        (&[(10, "a.example.")][..], hosts(&["a.example"])),
        (&[(20, "b.example."), (10, "a.example.")], hosts(&["a.example", "b.example"])),
        (
            &[(10, "a.example."), (5, "c.example."), (10, "b.example.")],
            hosts(&["c.example", "b.example", "a.example"]),
        ),
        // RFC 7505 §3: a null MX, alone.
        (&[(0, ".")], Exchanges::NullMx),
        // Beside others it means nothing.
        (&[(0, "."), (10, "a.example.")], hosts(&["a.example"])),
        // RFC 5321 §5.1: this host, and exchanges that are no better.
        (
            &[(10, "a.example."), (20, "MAIL.example.org."), (20, "b.example."), (30, "c.example.")],
            hosts(&["a.example"]),
        ),
        (&[(10, "mail.example.org."), (20, "a.example.")], Exchanges::ThisHost),
        (&[(10, "mail.example.org.")], Exchanges::ThisHost),
    ] {
        assert_eq!(selected(records), expected, "{records:?}");
    }
}

#[test]
fn shuffled_hosts_are_the_same_hosts() {
    let mut names: Vec<_> = (0..20).map(|number| domain(&format!("h{number}.example"))).collect();
    let before = names.clone();
    shuffle(&mut names);
    names.sort_by_key(|name| before.iter().position(|other| other == name));
    assert_eq!(names, before);
}

#[test]
fn addresses_of_one_family_do_not_hide_the_other() {
    let here =
        |text: &str| -> Vec<IpAddr> { text.split_whitespace().map(|ip| ip.parse().unwrap()).collect() };
    let of = |ips: &str, without_route: &str| -> Vec<IpAddr> {
        let far = here(without_route);
        let ordered = in_order(here(ips), 25, |target| target.port() == 25 && !far.contains(&target.ip()));
        ordered.into_iter().map(|target| target.ip()).collect()
    };
    for (ips, without_route, expected) in [
        ("192.0.2.1 192.0.2.2 2001:db8::1", "", "192.0.2.1 2001:db8::1 192.0.2.2"),
        ("192.0.2.1 2001:db8::1 2001:db8::2", "", "192.0.2.1 2001:db8::1 2001:db8::2"),
        ("192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2", "", "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2"),
        ("2001:db8::1 2001:db8::2", "", "2001:db8::1 2001:db8::2"),
        // A machine without IPv6, or without IPv4, tries two that it can reach.
        ("192.0.2.1 192.0.2.2 2001:db8::1", "2001:db8::1", "192.0.2.1 192.0.2.2 2001:db8::1"),
        (
            "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2",
            "192.0.2.1 192.0.2.2",
            "2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2",
        ),
        // Without any route all are tried, so that the failure is that of a connection.
        ("192.0.2.1 2001:db8::1", "192.0.2.1 2001:db8::1", "192.0.2.1 2001:db8::1"),
        ("", "", ""),
    ] {
        assert_eq!(of(ips, without_route), here(expected), "{ips} without {without_route}");
    }
}

#[tokio::test]
async fn mail_leaves_over_ipv4_while_the_ipv6_address_has_no_reverse_name() {
    let targets = |text: &str| -> Vec<SocketAddr> {
        text.split_whitespace().map(|ip| SocketAddr::new(ip.parse().unwrap(), 25)).collect()
    };
    let source: Ipv6Addr = "2001:db8:51::7".parse().unwrap();
    let both = "192.0.2.1 2001:db8::1 192.0.2.2";
    for (ordered, without_route, standing, expected) in [
        (both, "", Standing::Named, both),
        (both, "", Standing::Nameless, "192.0.2.1 192.0.2.2"),
        (both, "", Standing::Unknown, "192.0.2.1 192.0.2.2 2001:db8::1"),
        // A host that has only IPv6, and a machine that has.
        ("2001:db8::1", "", Standing::Nameless, "2001:db8::1"),
        ("2001:db8::1 192.0.2.1", "192.0.2.1", Standing::Nameless, "2001:db8::1 192.0.2.1"),
    ] {
        let far = targets(without_route);
        let source_towards = |target: SocketAddr| match target {
            target if far.contains(&target) => None,
            SocketAddr::V4(_) => Some("198.51.100.7".parse().unwrap()),
            SocketAddr::V6(_) => Some(source.into()),
        };
        let asked = async |address| {
            assert_eq!(address, source);
            standing
        };
        let found = acceptable(targets(ordered), source_towards, asked).await;
        assert_eq!(found, targets(expected), "{ordered} without {without_route}: {standing:?}");
    }
}
