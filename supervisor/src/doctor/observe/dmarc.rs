//! Looks up whether other domains agree to get DMARC reports about ours.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use tokio::time::Instant;

use super::super::observed::{Answer, texts_of};
use super::names;
use crate::dns::dmarc_text::{external_destinations, permission};
use crate::dns::record::fqdn;
use crate::dns::records::SiteFacts;

/// Queries the permission of each destination in the domains' records.
pub(super) async fn query_permissions(
    resolver: &TokioResolver,
    facts: &SiteFacts,
    known: &BTreeMap<(Name, RecordType), Answer>,
    end: Instant,
) -> BTreeMap<(Name, RecordType), Answer> {
    let mut queries = BTreeSet::new();
    for domain in &facts.presence.domains {
        let Some(name) = domain.with_prefix("_dmarc").ok().and_then(|name| fqdn(&name).ok()) else {
            continue;
        };
        let Some(answer) = known.get(&(name, RecordType::TXT)) else { continue };
        let texts = texts_of(answer);
        let destinations = texts.iter().flat_map(|text| external_destinations(domain, text));
        let permissions = destinations.filter_map(|destination| permission(domain, &destination));
        queries.extend(permissions.flat_map(|name| fqdn(&name)).map(|name| (name, RecordType::TXT)));
    }
    names::query(resolver, &queries, end).await.0
}
