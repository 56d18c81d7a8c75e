//! RFC 9989 §4.10.

use super::*;
use crate::walk::{names, record_name};

fn texts(start: &str) -> Vec<String> {
    names(&domain(start)).iter().map(Domain::to_string).collect()
}

#[test]
fn rfc_9989_4_10_the_names_of_a_walk() {
    assert_eq!(
        texts("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
        [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com",
        ]
    );
    assert_eq!(texts("a.mail.example.com"), ["a.mail.example.com", "mail.example.com", "example.com", "com"]);
    assert_eq!(texts("com"), ["com"]);
    // §5.1.8: of nine labels, the parent with eight is skipped; eight labels have all their parents.
    assert_eq!(texts("mail.a.b.c.d.e.f.example.com")[1], "b.c.d.e.f.example.com");
    assert_eq!(texts("a.b.c.d.e.f.example.com")[1], "b.c.d.e.f.example.com");
    for labels in 1..=120 {
        let name = vec!["a"; labels].join(".");
        assert_eq!(texts(&name).len(), labels.min(8), "{name}");
    }
}

#[test]
fn a_name_that_is_too_long_for_its_label_has_no_record() {
    let label = "a".repeat(61);
    let long = format!("{label}.{label}.{label}.{label}.org");
    assert_eq!(record_name(&domain(&long)), None);
    let zone: Zone<'_> = &[("_dmarc.org", "v=DMARC1; p=none; psd=y; np=reject")];
    let evaluation = evaluated(zone, &long, &[]);
    assert_eq!(policy(&evaluation), "org np=reject reject");
}

#[test]
fn names_are_compared_as_a_labels_in_lower_case_without_the_root() {
    let zone: Zone<'_> = &[("_dmarc.xn--bcher-kva.example", "v=DMARC1; p=reject")];
    for author in ["bücher.example", "BÜCHER.Example.", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE."] {
        for by in ["xn--bcher-kva.example", "bücher.EXAMPLE."] {
            let evaluation = evaluated(zone, author, &[dkim(by)]);
            assert_eq!(result(&evaluation), "pass Dkim xn--bcher-kva.example Strict", "{author} {by}");
        }
        let evaluation = evaluated(zone, &format!("post.{author}"), &[spf("Mail.BÜCHER.example")]);
        assert_eq!(result(&evaluation), "pass Spf mail.xn--bcher-kva.example Relaxed", "{author}");
    }
}

/// RFC 9989 §4.10.2 and §B.4: the organizational domain of a domain, seen from outside: the identifiers aligned with
/// it.
fn is_aligned(zone: Zone<'_>, author: &str, by: &str) -> bool {
    matches!(evaluated(zone, author, &[dkim(by)]).outcome, Outcome::Pass { .. })
}

#[test]
fn rfc_9989_4_10_2_the_organizational_domain() {
    let (plain, no, yes) = ("v=DMARC1; p=reject", "v=DMARC1; p=reject; psd=n", "v=DMARC1; p=reject; psd=y");
    for (zone, author, aligned, unaligned) in [
        // The record with the fewest labels.
        (
            &[("_dmarc.mail.example.com", plain), ("_dmarc.example.com", plain)][..],
            "a.mail.example.com",
            &["example.com", "mail.example.com", "b.example.com", "x.y.example.com"][..],
            &["com", "example.net", "notexample.com"][..],
        ),
        // psd=n below an organization makes another one.
        (
            &[("_dmarc.mail.example.com", no), ("_dmarc.example.com", plain)],
            "a.mail.example.com",
            &["mail.example.com", "b.mail.example.com"],
            &["example.com", "b.example.com"],
        ),
        (
            &[("_dmarc.mail.example.com", no), ("_dmarc.example.com", plain)],
            "b.example.com",
            &["example.com", "c.example.com"],
            &["mail.example.com", "a.mail.example.com"],
        ),
        // psd=y: the domain one label below.
        (
            &[("_dmarc.com", yes)],
            "a.mail.example.com",
            &["example.com", "mail.example.com", "b.example.com"],
            &["com", "other.com"],
        ),
        // §B.4.3.
        (
            &[("_dmarc.bank.example", yes), ("_dmarc.giant.bank.example", plain)],
            "giant.bank.example",
            &["mail.giant.bank.example"],
            &["mail.mega.bank.example", "bank.example", "example"],
        ),
        // psd=y where the walk starts: the domain itself, not one label below.
        (
            &[("_dmarc.bank.example", yes)],
            "bank.example",
            &["bank.example"],
            &["giant.bank.example", "example"],
        ),
        // An organization that is declared twice below one another: the record next to the root without psd.
        (
            &[("_dmarc.example.com", no), ("_dmarc.com", plain)],
            "mail.example.com",
            &["example.com"],
            &["com", "other.com"],
        ),
        // A registry with a record without psd is the organization of all, as the standard defines.
        (&[("_dmarc.com", plain)], "mail.example.com", &["com", "other.com"], &["example.net"]),
        // Of eight labels and more, the same shortened walk counts.
        (
            &[("_dmarc.example.com", plain)],
            "a.b.c.d.e.f.g.h.i.j.k.example.com",
            &["example.com", "signing.example.com", "z.y.x.w.v.u.t.s.example.com"],
            &["example.net"],
        ),
        // A psd=n at the label that the walk skips is never seen (§5.1.8).
        (
            &[("_dmarc.b.c.d.e.f.g.example.com", no), ("_dmarc.example.com", plain)],
            "mail.a.b.c.d.e.f.g.example.com",
            &["example.com"],
            &[],
        ),
        // psd=y at the shortened name: the organization is the label below it, which was never queried.
        (
            &[("_dmarc.c.d.e.f.g.example.com", yes)],
            "x.a.b.c.d.e.f.g.example.com",
            &["b.c.d.e.f.g.example.com", "y.b.c.d.e.f.g.example.com"],
            &["z.c.d.e.f.g.example.com", "example.com"],
        ),
    ] {
        for by in aligned {
            assert!(is_aligned(zone, author, by), "{author} {by} {zone:?}");
        }
        for by in unaligned {
            assert!(!is_aligned(zone, author, by), "{author} {by} {zone:?}");
        }
    }
}
