use hickory_resolver::proto::rr::RecordType;

use super::query_name;
use super::servers::MAX_NEGATIVE_TTL;
use crate::doubles::name_server::NameServer;

/// The number of queries that reach the name server when a query is sent twice.
async fn queries(names: NameServer, owner: &str) -> usize {
    let queries = names.queries();
    let resolver = names.resolver(8_000).await;
    for _ in 0..2 {
        let name = query_name(&owner.parse().unwrap());
        assert!(resolver.inner().lookup(name, RecordType::TXT).await.is_err());
    }
    let name = query_name(&owner.parse().unwrap());
    queries.borrow().iter().filter(|(queried, _)| *queried == name).count()
}

#[tokio::test]
async fn the_zone_determines_how_long_its_negative_answers_are_kept() {
    // RFC 2308 §5: the smaller of the record's own lifetime and the field MINIMUM.
    for (ttl, minimum, expected) in [(3600, 3600, 1), (3600, 0, 2), (0, 3600, 2)] {
        for (owner, names) in [
            ("absent.example.net", NameServer::new()),
            ("example.net", NameServer::new().address("example.net", [192, 0, 2, 7].into())),
        ] {
            let names = names.authority("example.net", ttl, minimum);
            assert_eq!(queries(names, owner).await, expected, "{owner} {ttl} {minimum}");
        }
    }
}

#[tokio::test]
async fn a_negative_answer_without_a_lifetime_is_not_kept() {
    assert_eq!(queries(NameServer::new(), "absent.example.net").await, 2);
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let names = NameServer::new().server_failure("example.net").authority("example.net", 3600, 3600);
    let queries = queries(names, "example.net").await;
    assert!(queries >= 2, "{queries}");
}

#[tokio::test]
async fn a_negative_answer_is_kept_for_three_hours_at_most() {
    let resolver = NameServer::new().resolver(8_000).await;
    let resolver = resolver.inner();
    let options = resolver.options();
    assert_eq!((options.negative_min_ttl, options.negative_max_ttl), (None, Some(MAX_NEGATIVE_TTL)));
    assert_eq!(MAX_NEGATIVE_TTL.as_secs(), 10_800);
}
