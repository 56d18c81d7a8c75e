//! RFC 9989 §5.3.6: queries without an answer.

use super::*;

const PLAIN: &str = "v=DMARC1; p=reject";

#[test]
fn rfc_9989_5_3_6_a_failed_query_leaves_the_result_open_where_it_depends_on_it() {
    let failed = |name: &'static str| (name, "SERVFAIL");
    let organization = ("_dmarc.example.com", PLAIN);
    for (zone, author, identifiers, expected) in [
        // The record of the author, and a name on its way.
        (
            &[failed("_dmarc.example.com")][..],
            "example.com",
            &[][..],
            "temperror _dmarc.example.com SERVFAIL",
        ),
        (
            &[failed("_dmarc.mail.example.com"), organization],
            "a.mail.example.com",
            &[],
            "temperror _dmarc.mail.example.com SERVFAIL",
        ),
        // Even an identical identifier passes only under a record.
        (&[failed("_dmarc.com")], "example.com", &[spf("example.com")], "temperror _dmarc.com SERVFAIL"),
        // psd=n or psd=y stops the walk before it.
        (
            &[failed("_dmarc.com"), ("_dmarc.example.com", "v=DMARC1; p=reject; psd=n")],
            "a.example.com",
            &[dkim("example.com")],
            "pass Dkim example.com Relaxed",
        ),
        (
            &[failed("_dmarc.uk"), ("_dmarc.co.uk", "v=DMARC1; p=reject; psd=y")],
            "a.example.co.uk",
            &[dkim("example.co.uk")],
            "pass Dkim example.co.uk Relaxed",
        ),
        // With a record at the author domain, the rest of the walk matters to relaxed alignment only.
        (&[failed("_dmarc.com"), organization], "example.com", &[], "fail"),
        (&[failed("_dmarc.com"), organization], "example.com", &[dkim("example.org")], "fail unaligned"),
        (
            &[failed("_dmarc.com"), organization],
            "example.com",
            &[dkim("example.com")],
            "pass Dkim example.com Strict",
        ),
        (
            &[failed("_dmarc.com"), organization],
            "example.com",
            &[dkim("mail.example.com")],
            "temperror _dmarc.com SERVFAIL",
        ),
        (
            &[failed("_dmarc.com"), ("_dmarc.example.com", "v=DMARC1; p=reject; adkim=s")],
            "example.com",
            &[dkim("mail.example.com")],
            "fail unaligned",
        ),
        // A failure on the way of one identifier does not matter where another is aligned.
        (
            &[failed("_dmarc.mail.example.com"), organization],
            "example.com",
            &[dkim("mail.example.com")],
            "temperror _dmarc.mail.example.com SERVFAIL",
        ),
        (
            &[failed("_dmarc.mail.example.com"), organization],
            "example.com",
            &[dkim("mail.example.com"), spf("bounce.example.com")],
            "pass Spf bounce.example.com Relaxed",
        ),
        // An identifier beside the organization costs no query and leaves nothing open.
        (&[failed("_dmarc.other.com"), organization], "example.com", &[dkim("other.com")], "fail unaligned"),
    ] {
        assert_eq!(
            result(&evaluated(zone, author, identifiers)),
            expected,
            "{author} {identifiers:?} {zone:?}"
        );
    }
}

#[test]
fn a_check_that_may_pass_later_leaves_the_result_open_where_it_is_aligned() {
    let zone: Zone<'_> = &[("_dmarc.example.com", PLAIN)];
    for (identifiers, expected) in [
        (&[unknown("example.com")][..], "temperror unverified example.com"),
        (&[unknown("mail.example.com")], "temperror unverified mail.example.com"),
        (&[unknown("example.org")], "fail"),
        (&[unknown("other.com")], "fail"),
        (&[unknown("example.com"), dkim("example.org")], "temperror unverified example.com"),
        (&[unknown("example.com"), dkim("mail.example.com")], "pass Dkim mail.example.com Relaxed"),
        (&[unknown("mail.example.com"), dkim("example.com")], "pass Dkim example.com Strict"),
        // One domain in both states.
        (&[unknown("mail.example.com"), dkim("mail.example.com")], "pass Dkim mail.example.com Relaxed"),
    ] {
        let evaluation = evaluated(zone, "example.com", identifiers);
        assert_eq!(result(&evaluation), expected, "{identifiers:?}");
        assert_eq!(evaluation.policy.map(|policy| policy.published), Some(Policy::Reject));
    }
    let strict: Zone<'_> = &[("_dmarc.example.com", "v=DMARC1; p=reject; adkim=s")];
    assert_eq!(result(&evaluated(strict, "example.com", &[unknown("mail.example.com")])), "fail");
}

#[test]
fn an_unknown_existence_leaves_the_policy_of_a_failure_open() {
    let zone: Zone<'_> = &[
        ("_dmarc.example.com", "v=DMARC1; p=none; sp=quarantine; np=reject"),
        ("a.example.com", "SERVFAIL"),
    ];
    // The zone of the tests lets the record's name exist; here it does not.
    let evaluation = with_ghost(zone, "a.example.com", &[]);
    assert_eq!(result(&evaluation), "temperror a.example.com SERVFAIL");
    assert_eq!(evaluation.disposition(), Policy::None);
    // A pass needs no policy.
    let evaluation = with_ghost(zone, "a.example.com", &[dkim("a.example.com")]);
    assert_eq!(result(&evaluation), "pass Dkim a.example.com Strict");
    assert_eq!(policy(&evaluation), "example.com sp=quarantine none");
}

fn with_ghost(zone: Zone<'_>, author: &str, identifiers: &[Identifier]) -> Evaluation {
    let evaluation = evaluated(zone, author, identifiers);
    assert_eq!(look_up(zone, &domain(&format!("_dmarc.{author}"))), Answer::NxDomain);
    evaluation
}
