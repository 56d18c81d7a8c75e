//! RFC 9989 §4.7, §4.10.1: the record that applies, and its policy.

use super::*;

#[test]
fn rfc_9989_4_10_1_the_record_of_the_author_of_the_organization_of_the_suffix() {
    let (yes, plain) = ("v=DMARC1; p=none; sp=quarantine; psd=y", "v=DMARC1; p=reject; sp=none");
    for (zone, author, expected) in [
        (&[("_dmarc.example.com", plain)][..], "example.com", "example.com p=reject reject"),
        (&[("_dmarc.example.com", plain)], "a.b.example.com", "example.com sp=none none"),
        // The record between the author and the organization is not used.
        (
            &[("_dmarc.mail.example.com", plain), ("_dmarc.example.com", "v=DMARC1; p=quarantine")],
            "a.mail.example.com",
            "example.com p=quarantine quarantine",
        ),
        // But the author's own is, and its `sp` does not matter.
        (
            &[("_dmarc.mail.example.com", plain), ("_dmarc.example.com", "v=DMARC1; p=quarantine")],
            "mail.example.com",
            "mail.example.com p=reject reject",
        ),
        // psd=n below an organization.
        (
            &[
                ("_dmarc.mail.example.com", "v=DMARC1; p=reject; psd=n"),
                ("_dmarc.example.com", "v=DMARC1; p=none"),
            ],
            "a.mail.example.com",
            "mail.example.com p=reject reject",
        ),
        // psd=y at a registry: for an organization without a record only.
        (&[("_dmarc.com", yes)], "example.com", "com sp=quarantine quarantine"),
        (&[("_dmarc.com", yes)], "a.b.example.com", "com sp=quarantine quarantine"),
        (&[("_dmarc.com", yes), ("_dmarc.example.com", plain)], "a.example.com", "example.com sp=none none"),
        // A record below the organization that psd=y defines, and none at it: the registry's applies.
        (
            &[("_dmarc.com", yes), ("_dmarc.mail.example.com", plain)],
            "a.mail.example.com",
            "com sp=quarantine quarantine",
        ),
        // The public suffix, or a single label, as the author.
        (&[("_dmarc.com", yes)], "com", "com p=none none"),
        (&[("_dmarc.co.uk", "v=DMARC1; p=reject; psd=y")], "co.uk", "co.uk p=reject reject"),
        (&[("_dmarc.localhost", plain)], "localhost", "localhost p=reject reject"),
        (&[], "localhost", "-"),
        (&[], "a.b.c.example.com", "-"),
        // The name of a domain, not that of its record, and no record of another kind.
        (&[("example.com", plain), ("_dmarc.example.com", "v=spf1 -all")], "example.com", "-"),
    ] {
        assert_eq!(policy(&evaluated(zone, author, &[])), expected, "{author} {zone:?}");
    }
}

#[test]
fn rfc_9989_4_10_of_several_records_at_a_name_none_counts() {
    let twice = [("_dmarc.example.com", "v=DMARC1; p=reject"), ("_dmarc.example.com", "v = DMARC1; p=none")];
    assert_eq!(policy(&evaluated(&twice, "example.com", &[])), "-");
    assert_eq!(policy(&evaluated(&twice, "a.example.com", &[])), "-");
    let above = [&twice[..], &[("_dmarc.com", "v=DMARC1; p=none; sp=reject; psd=y")]].concat();
    assert_eq!(policy(&evaluated(&above, "example.com", &[])), "com sp=reject reject");
    // Other texts beside one record do not matter; a malformed record counts as one.
    let beside = [("_dmarc.example.com", "v=DMARC1; p=reject"), ("_dmarc.example.com", "v=DMARC2; p=none")];
    assert_eq!(policy(&evaluated(&beside, "example.com", &[])), "example.com p=reject reject");
    let malformed = [("_dmarc.example.com", "v=DMARC1; p=reject"), ("_dmarc.example.com", "v=DMARC1; junk")];
    assert_eq!(policy(&evaluated(&malformed, "example.com", &[])), "-");
}

#[test]
fn rfc_9989_3_2_13_np_is_for_names_that_do_not_exist() {
    let zone = |tags: &str| format!("v=DMARC1; {tags}");
    for (tags, ghost, alive) in [
        ("p=none; np=reject", "np=reject reject", "p=none none"),
        ("p=none; sp=quarantine; np=reject", "np=reject reject", "sp=quarantine quarantine"),
        ("p=reject; sp=quarantine; np=none", "np=none none", "sp=quarantine quarantine"),
        ("p=reject; sp=quarantine", "sp=quarantine quarantine", "sp=quarantine quarantine"),
        ("p=reject", "p=reject reject", "p=reject reject"),
        ("p=reject; np=quarantine; t=y", "np=quarantine none", "p=reject quarantine"),
    ] {
        let text = zone(tags);
        let world: Zone<'_> = &[
            ("_dmarc.example.com", &text),
            // Exists without TXT; exists only because a name below it does; exists with an unrelated TXT.
            ("alive.example.com", "-"),
            ("host.parent.example.com", "-"),
            ("text.example.com", "hello"),
        ];
        assert_eq!(
            policy(&evaluated(world, "ghost.example.com", &[])),
            format!("example.com {ghost}"),
            "{tags}"
        );
        assert_eq!(
            policy(&evaluated(world, "a.ghost.example.com", &[])),
            format!("example.com {ghost}"),
            "{tags}"
        );
        for author in ["alive.example.com", "parent.example.com", "text.example.com"] {
            assert_eq!(
                policy(&evaluated(world, author, &[])),
                format!("example.com {alive}"),
                "{tags} {author}"
            );
        }
    }
}

#[test]
fn the_existence_of_the_author_is_queried_only_where_it_matters() {
    let is_queried = |tags: &str, more: &[(&str, &str)], author: &str| {
        let text = format!("v=DMARC1; {tags}");
        let zone = [&[("_dmarc.example.com", text.as_str())], more].concat();
        rounds(&zone, author, &[]).1.concat().contains(&domain(author))
    };
    assert!(is_queried("p=none; np=reject", &[], "a.example.com"));
    assert!(!is_queried("p=reject", &[], "a.example.com"));
    assert!(!is_queried("p=none; sp=reject; np=reject", &[], "a.example.com"));
    assert!(!is_queried("p=none; np=reject", &[], "example.com"));
    // RFC 8020: the name of its record exists, and so does the author.
    assert!(!is_queried("p=none; np=reject", &[("_dmarc.a.example.com", "hello")], "a.example.com"));
}

#[test]
fn rfc_9989_4_7_testing_asks_for_one_level_less() {
    for (tags, expected) in [
        ("p=reject; t=y", "example.com p=reject quarantine"),
        ("p=quarantine; t=y", "example.com p=quarantine none"),
        ("p=none; t=y", "example.com p=none none"),
        ("p=reject; t=n", "example.com p=reject reject"),
        ("p=reject; t=x", "example.com p=reject reject"),
        // RFC 9989 removed it: a policy is not weakened by it.
        ("p=reject; pct=0", "example.com p=reject reject"),
    ] {
        let text = format!("v=DMARC1; {tags}");
        let evaluation = evaluated(&[("_dmarc.example.com", &text)], "example.com", &[]);
        assert_eq!(policy(&evaluation), expected, "{tags}");
    }
}

#[test]
fn a_message_that_passes_has_a_policy_and_no_disposition() {
    let zone: Zone<'_> = &[("_dmarc.example.com", "v=DMARC1; p=reject")];
    let evaluation = evaluated(zone, "example.com", &[spf("example.com")]);
    assert_eq!(policy(&evaluation), "example.com p=reject none");
    assert_eq!(evaluation.policy.map(|policy| policy.requested), Some(Policy::Reject));
}

#[test]
fn rfc_9989_4_10_1_a_malformed_record() {
    for (tags, outcome, applied) in [
        ("p=rejct", "permerror example.com", "-"),
        ("", "permerror example.com", "-"),
        ("p=reject; sp=x", "permerror example.com", "-"),
        ("p=rejct; rua=mailto:a@example.org", "fail", "example.com p=none none"),
        ("p=reject; np=x; rua=mailto:a@example.org", "fail", "example.com p=none none"),
        ("rua=mailto:a@example.org", "fail", "example.com p=none none"),
    ] {
        let text = format!("v=DMARC1; {tags}");
        for author in ["example.com", "a.example.com"] {
            let evaluation = evaluated(&[("_dmarc.example.com", &text)], author, &[]);
            assert_eq!(
                (result(&evaluation).as_str(), policy(&evaluation).as_str()),
                (outcome, applied),
                "{tags}"
            );
            assert_eq!(evaluation.disposition(), Policy::None);
        }
    }
    // It passes all the same where it counts as p=none.
    let zone: Zone<'_> = &[("_dmarc.example.com", "v=DMARC1; p=x; rua=mailto:a@example.org")];
    assert_eq!(result(&evaluated(zone, "example.com", &[spf("example.com")])), "pass Spf example.com Strict");
}
