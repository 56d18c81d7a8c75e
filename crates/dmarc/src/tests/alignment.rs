//! RFC 9989 §4.4, §4.10.2, §5.3.4, §5.3.5.

use super::*;

const ORGANIZATION: (&str, &str) = ("_dmarc.example.com", "v=DMARC1; p=reject");

#[test]
fn rfc_9989_4_4_the_table_of_alignments() {
    let zone: Zone<'_> = &[ORGANIZATION];
    for (by, expected) in [
        ("foo.example.com", "pass Dkim foo.example.com Relaxed"),
        ("news.example.com", "pass Dkim news.example.com Strict"),
        ("example.com", "pass Dkim example.com Relaxed"),
        ("foo.example.net", "fail unaligned"),
    ] {
        assert_eq!(result(&evaluated(zone, "news.example.com", &[dkim(by)])), expected);
    }
}

#[test]
fn each_mechanism_has_its_own_mode() {
    for (tags, mechanism, passes) in [
        ("", Mechanism::Spf, true),
        ("", Mechanism::Dkim, true),
        ("aspf=s", Mechanism::Spf, false),
        ("aspf=s", Mechanism::Dkim, true),
        ("adkim=s", Mechanism::Spf, true),
        ("adkim=s", Mechanism::Dkim, false),
        ("adkim=s; aspf=s", Mechanism::Spf, false),
        ("adkim=r; aspf=r", Mechanism::Dkim, true),
    ] {
        let text = format!("v=DMARC1; p=reject; {tags}");
        let zone: Zone<'_> = &[("_dmarc.example.com", &text)];
        for by in ["mail.example.com", "a.b.example.com"] {
            let found = evaluated(zone, "example.com", &[identifier(mechanism, Authentication::Passed, by)]);
            assert_eq!(matches!(found.outcome, Outcome::Pass { .. }), passes, "{tags} {mechanism:?}");
        }
        let same = [identifier(mechanism, Authentication::Passed, "example.com")];
        assert!(matches!(evaluated(zone, "example.com", &same).outcome, Outcome::Pass { .. }), "{tags}");
    }
}

#[test]
fn one_aligned_identifier_is_enough_and_a_failed_one_does_not_count() {
    let zone: Zone<'_> = &[ORGANIZATION];
    let several = [spf("list.example.net"), dkim("example.org"), dkim("mail.example.com")];
    assert_eq!(result(&evaluated(zone, "example.com", &several)), "pass Dkim mail.example.com Relaxed");
    assert_eq!(result(&evaluated(zone, "example.com", &several[..2])), "fail unaligned");
    assert_eq!(result(&evaluated(zone, "example.com", &[])), "fail");
}

#[test]
fn rfc_9989_4_10_2_no_walk_where_nothing_depends_on_it() {
    let zone: Zone<'_> = &[ORGANIZATION];
    let strict: Zone<'_> = &[("_dmarc.example.com", "v=DMARC1; p=reject; adkim=s")];
    for (zone, identifiers, expected) in [
        // The same domain, with a record there.
        (zone, &[dkim("example.com")][..], &["example.com"][..]),
        // No identifier, or one of another top-level domain.
        (zone, &[], &["example.com"]),
        (zone, &[spf("bounce.example.net"), dkim("example.org")], &["example.com"]),
        // Strict alignment.
        (strict, &[dkim("mail.example.com")], &["example.com"]),
        // An identifier beside the organization costs the author's walk only.
        (zone, &[dkim("a.b.c.d.other.com")], &["example.com", "com"]),
        // The walks share their names.
        (
            zone,
            &[spf("b.example.com"), dkim("c.b.example.com")],
            &["example.com", "com", "b.example.com", "c.b.example.com"],
        ),
    ] {
        assert_eq!(queried(zone, "example.com", identifiers), expected, "{identifiers:?}");
    }
    // The author's walk and those of the identifiers are one round each.
    let deep = [dkim("x.y.example.com"), spf("z.example.com")];
    let (evaluation, rounds) = rounds(zone, "a.b.c.example.com", &deep);
    assert_eq!(result(&evaluation), "pass Dkim x.y.example.com Relaxed");
    assert_eq!(rounds.iter().map(Vec::len).collect::<Vec<_>>(), [1, 4, 3]);
}

#[test]
fn a_domain_without_a_record_of_its_own_is_aligned_with_itself() {
    let zone: Zone<'_> = &[("_dmarc.com", "v=DMARC1; p=reject; psd=y")];
    assert_eq!(result(&evaluated(zone, "example.com", &[spf("example.com")])), "pass Spf example.com Strict");
    assert_eq!(result(&evaluated(&[], "example.com", &[spf("example.com")])), "none");
}
