//! RFC 9989 §4.7, §4.8.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Record {
    Record::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} is a record"))
}

#[test]
fn rfc_9989_4_7_a_record_begins_with_its_version() {
    for (text, is_it) in [
        ("v=DMARC1", true),
        ("v=DMARC1;", true),
        ("v=DMARC1 ; p=none", true),
        ("v \t= DMARC1\t;p=none", true),
        ("V=DMARC1; p=none", true),
        ("v=DMARC1; p=none; v=DMARC2", true),
        ("v=dmarc1; p=none", false),
        ("v=DMARC10; p=none", false),
        ("v=DMARC1 p=none", false),
        ("v=DMARC1, p=none", false),
        (" v=DMARC1; p=none", false),
        ("\"v=DMARC1; p=none\"", false),
        ("p=none; v=DMARC1", false),
        (";v=DMARC1; p=none", false),
        ("vv=DMARC1", false),
        ("DMARC1", false),
        ("v", false),
        ("=DMARC1", false),
        ("", false),
    ] {
        assert_eq!(is_record(text.as_bytes()), is_it, "{text:?}");
        assert_eq!(Record::parse(text.as_bytes()).is_some(), is_it, "{text:?}");
    }
}

#[test]
fn rfc_9989_4_7_every_tag_and_its_default() {
    let plain = parsed("v=DMARC1; p=reject");
    assert_eq!(plain, Record { policy: Some(Policy::Reject), ..Record::default() });
    assert_eq!((plain.dkim_alignment, plain.spf_alignment), (Alignment::Relaxed, Alignment::Relaxed));
    assert_eq!((plain.psd, plain.is_testing), (Psd::Unspecified, false));
    assert!(plain.failure_options.is_none_aligned);
    let full = "v=DMARC1;p=none ;\tSP=Quarantine; np = REJECT;adkim=s;aspf=S;psd=n;t=y;\
        rua=mailto:a@example.org , https://example.org/r?x=%3b!10m;ruf=mailto:b@example.org;fo=1:d:s ; ";
    let full = parsed(full);
    assert_eq!(full.faults, []);
    assert_eq!(full.policies().map(|policies| policies.domain), Some(Policy::None));
    assert_eq!(
        (full.subdomain_policy, full.nonexistent_policy),
        (Some(Policy::Quarantine), Some(Policy::Reject))
    );
    assert_eq!((full.dkim_alignment, full.spf_alignment), (Alignment::Strict, Alignment::Strict));
    assert_eq!((full.psd, full.is_testing), (Psd::No, true));
    assert_eq!(full.aggregate_reports, ["mailto:a@example.org", "https://example.org/r?x=%3b"]);
    assert_eq!(full.failure_reports, ["mailto:b@example.org"]);
    let fo = full.failure_options;
    assert_eq!(
        (fo.is_none_aligned, fo.is_one_unaligned, fo.is_dkim_failed, fo.is_spf_failed),
        (false, true, true, true)
    );
    // §4.7: `fo` is ignored without `ruf`.
    assert_eq!(parsed("v=DMARC1; p=none; fo=1").failure_options, FailureOptions::default());
}

#[test]
fn rfc_9989_c_5_2_removed_tags_are_ignored_and_reported() {
    let record = parsed("v=DMARC1; p=reject; pct=0; ri=86400; RF=afrf; pct=x");
    assert_eq!(record.policies().map(|policies| policies.domain), Some(Policy::Reject));
    let removed = [Fault::Removed("pct"), Fault::Removed("ri"), Fault::Removed("rf"), Fault::Removed("pct")];
    assert_eq!(record.faults, removed);
    assert_eq!(record.faults[0].to_string(), "pct= was removed by RFC 9989 and is ignored");
}

#[test]
fn rfc_9989_4_8_a_malformed_tag_has_its_default() {
    let value = |tag, value: &str| Fault::Value { tag, value: value.to_owned() };
    let syntax = |text: &str| Fault::Syntax(text.to_owned());
    for (tags, faults) in [
        ("adkim=x; aspf=strict", vec![value("adkim", "x"), value("aspf", "strict")]),
        ("psd=yes; t=1", vec![value("psd", "yes"), value("t", "1")]),
        ("psd=y; psd=y", vec![Fault::Duplicate("psd")]),
        ("t=y; t=n", vec![Fault::Duplicate("t")]),
        ("t=\u{ff}y", vec![value("t", "\u{ff}y")]),
        ("junk; =x; ;a1=b", vec![syntax("junk"), syntax("=x"), syntax(""), syntax("a1=b")]),
        ("x=y; v=DMARC1", vec![Fault::Unknown("x".to_owned()), Fault::Duplicate("v")]),
        ("rua=", vec![value("rua", "")]),
        (
            "rua=a@example.org,mailto:a b,mailto:%4,1a:b,mailto:a!x,mailto:a!1k!2k,mailto:",
            ["a@example.org", "mailto:a b", "mailto:%4", "1a:b", "mailto:a!x", "mailto:a!1k!2k", "mailto:"]
                .map(|item| value("rua", item))
                .to_vec(),
        ),
    ] {
        let record = parsed(&format!("v=DMARC1; p=quarantine; {tags}"));
        assert_eq!(
            record,
            Record { policy: Some(Policy::Quarantine), faults, ..Record::default() },
            "{tags}"
        );
    }
    for fo in ["", "0:1", "d:d", "x", "0:", "0 :d", "2"] {
        let record = parsed(&format!("v=DMARC1; p=none; ruf=mailto:a@example.org; fo={fo}"));
        assert_eq!(record.failure_options, FailureOptions::default(), "{fo}");
        assert_eq!(record.faults, [value("fo", fo)], "{fo}");
    }
}

#[test]
fn rfc_9989_4_10_1_a_record_without_valid_policies_needs_an_address_for_reports() {
    let none = Some(Policies { domain: Policy::None, subdomains: None, nonexistent: None });
    for tags in [
        "",
        "p=",
        "p=rejct",
        "p=reject; sp=x",
        "p=reject; np=x",
        "p=reject; p=reject",
        "policy=reject",
        "sp=reject",
    ] {
        for (reports, expected) in [
            ("", None),
            ("rua=nonsense", None),
            ("ruf=mailto:a@example.org", None),
            ("rua=mailto:a@example.org", none),
            ("rua=nonsense,mailto:a@example.org!10m", none),
        ] {
            let text = format!("v=DMARC1; {tags}; {reports}");
            assert_eq!(parsed(&text).policies(), expected, "{text}");
        }
    }
}

#[test]
fn a_record_is_read_up_to_its_limits() {
    let long = format!("v=DMARC1; p=reject; rua=mailto:{}@example.org", "a".repeat(16 * 1024));
    let record = parsed(&long);
    assert_eq!((record.faults, record.policy), (vec![Fault::TooLong(long.len())], None));
    let last = format!("v=DMARC1{}; p=reject", "; x=y".repeat(63));
    assert_eq!(parsed(&last).policy, Some(Policy::Reject));
    let too_many = format!("v=DMARC1{}; p=reject", "; x=y".repeat(64));
    assert_eq!(parsed(&too_many).policy, None);
    assert!(parsed(&too_many).faults.contains(&Fault::TooManyTags));
    let separators = parsed(&format!("v=DMARC1{}", ";".repeat(10_000)));
    assert!(separators.faults.len() <= 65, "{}", separators.faults.len());
}

#[test]
fn rfc_9989_4_7_testing_lowers_a_policy_by_one_level() {
    assert_eq!(
        [Policy::None, Policy::Quarantine, Policy::Reject].map(Policy::lowered),
        [Policy::None, Policy::None, Policy::Quarantine]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_records_are_read_without_a_panic(
        octets in prop::collection::vec(any::<u8>(), 0..200),
        pieces in prop::collection::vec(prop::sample::select(vec![
            ";", "; ", " ", "\t", "=", "p", "sp=", "np=", "p=reject", "none", "quarantine", "adkim=s", "psd=y", "psd=n",
            "t=y", "rua=", "ruf=", "mailto:a@example.org", ",", "!", "10m", "%", "fo=", "0:1", "d:s", ":", "\0", "ü", "v=DMARC1",
        ]), 0..30),
    ) {
        for rest in [octets.as_slice(), pieces.concat().as_bytes()] {
            prop_assert!(Record::parse(rest).is_none() || is_record(rest));
            let text = [b"v=DMARC1;", rest].concat();
            let record = Record::parse(&text).expect("it begins with the version");
            // Every value that is used, and every policy, is one that is in the record.
            let lower = String::from_utf8_lossy(&text).to_ascii_lowercase();
            for policy in [record.policy, record.subdomain_policy, record.nonexistent_policy].into_iter().flatten() {
                prop_assert!(lower.contains(policy.as_str()));
            }
            for uri in record.aggregate_reports.iter().chain(&record.failure_reports) {
                prop_assert!(lower.contains(&uri.to_ascii_lowercase()) && uri.is_ascii() && !uri.contains(['!', ',', ';', ' ']));
            }
            prop_assert!(record.faults.len() <= 66);
        }
    }
}
