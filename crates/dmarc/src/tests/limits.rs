//! The number of queries, and evaluations over hostile zones.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn rfc_9989_4_10_eight_queries_for_a_walk() {
    let deep = vec!["a"; 60].join(".") + ".example.com";
    assert_eq!(queried(&[], &deep, &[]).len(), 8);
}

#[test]
fn many_identifiers_cost_a_few_walks() {
    // A registry's record without psd makes every domain below a relative, and np needs the existence of the author.
    let zone: Zone<'_> =
        &[("_dmarc.com", "v=DMARC1; p=none; np=reject"), ("_dmarc.x.com", "v=DMARC1; p=none; psd=n")];
    let many: Vec<Identifier> =
        (0..100).map(|number| dkim(&format!("a.b.c.d.e.f.g.h.i.n{number}.x.com"))).collect();
    let author = "a.b.c.d.e.f.g.h.author.com";
    let (evaluation, rounds) = rounds(zone, author, &many);
    assert_eq!(result(&evaluation), "fail unaligned");
    assert_eq!(policy(&evaluation), "com np=reject reject");
    let count = rounds.concat().len();
    assert!(count <= 8 + 4 * 7 + 1, "{count} queries");
    assert!(rounds.len() <= 4, "{} rounds", rounds.len());
    // One domain many times is one walk, and an aligned domain behind many others that cost none is found.
    let same = vec![dkim("mail.example.com"); 100];
    assert_eq!(queried(&[("_dmarc.example.com", "v=DMARC1")], "example.com", &same).len(), 1);
    let mut others: Vec<Identifier> = (0..100).map(|number| dkim(&format!("n{number}.net"))).collect();
    others.push(dkim("mail.example.com"));
    let evaluation = evaluated(&[("_dmarc.example.com", "v=DMARC1; p=reject")], "example.com", &others);
    assert_eq!(result(&evaluation), "pass Dkim mail.example.com Relaxed");
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "org", "mail"]), 1..12)
        .prop_map(|labels| labels.join("."))
}

fn identifiers() -> impl Strategy<Value = Vec<Identifier>> {
    let one = (name(), any::<bool>(), any::<bool>()).prop_map(|(name, is_spf, is_known)| {
        let mechanism = if is_spf { Mechanism::Spf } else { Mechanism::Dkim };
        let authentication = if is_known { Authentication::Passed } else { Authentication::Unknown };
        identifier(mechanism, authentication, &name)
    });
    prop::collection::vec(one, 0..12)
}

/// A walk written to the letter of RFC 9989 §4.10 and §4.10.2, over a whole zone.
fn organization(zone: Zone<'_>, start: &str) -> Option<String> {
    let (mut target, mut records): (Vec<&str>, Vec<(String, Psd)>) = (start.split('.').collect(), Vec::new());
    loop {
        let name = target.join(".");
        let texts = match look_up(zone, &domain(&format!("_dmarc.{name}"))) {
            Answer::Found(texts) => texts,
            Answer::Failed(_) => return None,
            Answer::NoData | Answer::NxDomain => Vec::new(),
        };
        let texts: Vec<_> = texts.iter().filter_map(|text| Record::parse(text)).collect();
        if let [record] = texts.as_slice() {
            records.push((name, record.psd));
            if record.psd != Psd::Unspecified {
                break;
            }
        }
        let keep = if target.len() < 8 { target.len() - 1 } else { 7 };
        if keep == 0 {
            break;
        }
        target = target[target.len() - keep..].to_vec();
    }
    for (name, psd) in &records {
        match psd {
            Psd::No => return Some(name.clone()),
            Psd::Yes if name != start => {
                let labels: Vec<&str> = start.split('.').collect();
                let count = name.split('.').count() + 1;
                return Some(labels[labels.len() - count..].join("."));
            }
            _ => {}
        }
    }
    let shortest = records.into_iter().min_by_key(|(name, _)| name.split('.').count());
    Some(shortest.map_or_else(|| start.to_owned(), |(name, _)| name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_evaluation_ends_within_its_limits_and_agrees_with_the_letter_of_the_standard(
        author in name(),
        identifiers in identifiers(),
        records in prop::collection::vec((name(), prop::sample::select(vec![
            "v=DMARC1; p=reject", "v=DMARC1; p=none; sp=quarantine; np=reject", "v=DMARC1; p=reject; psd=y", "SERVFAIL",
            "v=DMARC1; p=quarantine; psd=n", "v=DMARC1; p=reject; adkim=s; aspf=s; t=y", "v=DMARC1", "v=spf1 -all",
        ])), 0..8),
    ) {
        let owners: Vec<(String, &str)> = records.iter().map(|(name, text)| (format!("_dmarc.{name}"), *text)).collect();
        let zone: Vec<(&str, &str)> = owners.iter().map(|(owner, text)| (owner.as_str(), *text)).collect();
        let (evaluation, rounds) = rounds(&zone, &author, &identifiers);
        let queries = rounds.concat();
        prop_assert!(rounds.len() <= 4 && queries.len() <= 8 + 4 * 7 + 1);
        prop_assert_eq!(queries.iter().collect::<BTreeSet<_>>().len(), queries.len());
        let Some(applied) = &evaluation.policy else { return Ok(()) };
        let aligned = |identifier: &Identifier| {
            let is_strict = match identifier.mechanism {
                Mechanism::Spf => applied.record.spf_alignment,
                Mechanism::Dkim => applied.record.dkim_alignment,
            } == Alignment::Strict;
            let of_author = organization(&zone, &author);
            identifier.domain.as_str() == author
                || !is_strict && of_author.is_some() && of_author == organization(&zone, identifier.domain.as_str())
        };
        let passed = |identifier: &&Identifier| identifier.authentication == Authentication::Passed;
        let domains: BTreeSet<&str> = identifiers.iter().map(|identifier| identifier.domain.as_str()).collect();
        match &evaluation.outcome {
            Outcome::Pass { identifier, .. } => prop_assert!(aligned(identifier) && passed(&identifier)),
            Outcome::Fail(_) if domains.len() <= 4 => {
                prop_assert!(!identifiers.iter().any(aligned), "{:?}", evaluation);
            }
            Outcome::TempError(_) if domains.len() <= 4 => {
                prop_assert!(!identifiers.iter().filter(passed).any(aligned), "{:?}", evaluation);
            }
            _ => {}
        }
    }
}
