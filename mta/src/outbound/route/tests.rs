use super::*;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn selected(records: &[(u16, &str)]) -> Exchanges {
    let records =
        records.iter().map(|(preference, exchange)| (*preference, (*exchange).to_owned())).collect();
    // Chance is passed in: here it turns equals round.
    select(records, &domain("mail.example.org"), |equals| equals.reverse())
}

fn hosts(names: &[&str]) -> Exchanges {
    Exchanges::Hosts(names.iter().map(|name| domain(name)).collect())
}

#[test]
fn exchanges_are_tried_by_preference_and_equals_by_chance() {
    for (records, expected) in [
        (&[(10, "a.example.")][..], hosts(&["a.example"])),
        (&[(20, "b.example."), (10, "a.example.")], hosts(&["a.example", "b.example"])),
        (
            &[(10, "a.example."), (5, "c.example."), (10, "b.example.")],
            hosts(&["c.example", "b.example", "a.example"]),
        ),
        // RFC 7505 §3: a null MX, alone.
        (&[(0, ".")], Exchanges::Nobody),
        // Beside others it means nothing.
        (&[(0, "."), (10, "a.example.")], hosts(&["a.example"])),
        // RFC 5321 §5.1: ourselves, and whoever is no better.
        (
            &[(10, "a.example."), (20, "MAIL.example.org."), (20, "b.example."), (30, "c.example.")],
            hosts(&["a.example"]),
        ),
        (&[(10, "mail.example.org."), (20, "a.example.")], Exchanges::Ourselves),
        (&[(10, "mail.example.org.")], Exchanges::Ourselves),
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
