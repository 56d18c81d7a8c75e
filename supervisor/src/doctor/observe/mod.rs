//! Observes DNS, sockets and files, concurrently and within one time budget. What has not answered by then is unknown,
//! and the checks report it as such.

mod authenticated;
mod blocklists;
mod certificate;
mod connections;
mod diagnosis;
mod dmarc;
mod health;
mod last_connections;
mod listening;
mod machine;
mod names;
mod port25;
mod reverse;
mod spf;
mod web;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use tokio::time::Instant;

use super::checks::Scope;
use super::observed::{Answer, ConnectionOutcome, Family, ObservedState};
use super::queries::Queries;
use crate::dns::addresses::is_public;
use crate::dns::record::{address, fqdn};
use crate::dns::records::{SiteFacts, WantedRecords};
use crate::dns::resolver;

/// The total budget: a name server with an empty cache needs seconds, and the operator is waiting.
const BUDGET: Duration = Duration::from_secs(20);
/// The budget of the first half; queries that depend on its answers get the rest.
const FIRST_HALF: Duration = Duration::from_secs(12);

/// The files and folders to observe.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    /// The steward's configuration.
    pub(super) steward: std::path::PathBuf,
    /// The folders and their owners, if known.
    pub(super) owners: Option<crate::volume::Owners>,
    pub(super) folders: Option<crate::volume::Folders>,
}

/// Observes everything within the scope.
pub(super) async fn observe(
    facts: &SiteFacts,
    wanted: &WantedRecords,
    paths: &Paths,
    scope: Scope,
) -> ObservedState {
    let begin = Instant::now();
    let (half, end) = (begin + FIRST_HALF, begin + BUDGET);
    let presence = &facts.presence;
    let resolvers = resolver::servers(&presence.dns_servers);
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut observed = ObservedState { at, resolvers: resolvers.clone(), ..ObservedState::default() };
    if scope == Scope::Whole {
        observe_machine(facts, paths, end, &mut observed).await;
    }
    observed.machine.certificate = Some(certificate::observe(presence, at));
    let (Ok(host), Ok(resolver), false) =
        (fqdn(&presence.hostname), resolver::of(&resolvers), presence.is_local)
    else {
        return observed;
    };
    first_queries(facts, wanted, scope, &resolver, half, &mut observed).await;
    dependent_queries(facts, wanted, scope, (&resolver, &host), end, &mut observed).await;
    observed
}

async fn observe_machine(facts: &SiteFacts, paths: &Paths, end: Instant, observed: &mut ObservedState) {
    observed.machine = machine::observe(facts, paths);
    let health = health::query(&paths.steward, end).await;
    if health.is_err() {
        observed.machine.port_25 = listening::holder(25);
    }
    observed.machine.health = Some(health);
    observed.last_connections = last_connections::query(&paths.steward, end).await;
}

/// Makes the queries that need no earlier answers.
async fn first_queries(
    facts: &SiteFacts,
    wanted: &WantedRecords,
    scope: Scope,
    resolver: &TokioResolver,
    half: Instant,
    observed: &mut ObservedState,
) {
    let presence = &facts.presence;
    let queries = Queries::about(facts, wanted);
    let directory = presence.acme_directory.as_deref();
    let smtp_host = presence.smtp_host.as_deref();
    let has_v6 = !facts.addresses.v6.is_empty() || facts.addresses.private_v6;
    let families = if has_v6 { &[Family::V4, Family::V6][..] } else { &[Family::V4] };
    let resolvers = observed.resolvers.clone();
    let forged = async {
        match scope {
            Scope::Whole => authenticated::gives_forged(&resolvers, half).await,
            Scope::Outside => None,
        }
    };
    let (found, authentic, gives_forged, probe, date) = tokio::join!(
        names::query(resolver, &queries.all, half),
        authenticated::query(&resolvers, &queries.authenticated, half),
        forged,
        port25::probe(resolver, smtp_host, families, half),
        web::date(resolver, directory, half),
    );
    (observed.names, observed.aliases) = found;
    observed.authentic = authentic;
    observed.gives_forged = gives_forged;
    observed.probe = probe;
    observed.ahead = date;
}

/// Makes the queries that depend on those answers.
async fn dependent_queries(
    facts: &SiteFacts,
    wanted: &WantedRecords,
    scope: Scope,
    (resolver, host): (&TokioResolver, &Name),
    end: Instant,
    observed: &mut ObservedState,
) {
    let presence = &facts.presence;
    let authorities = presence.authorities.as_deref();
    let reached = reachable_ports(facts, scope, host, observed);
    let connecting = connections::connect_all(
        &reached.0,
        &reached.1,
        &presence.certificate,
        presence.hostname.as_str(),
        end,
    );
    let own = observed.own_addresses(facts, host);
    let targets = names::exchanges(&observed.names);
    let others: BTreeSet<Name> = targets.iter().filter(|target| *target != host).cloned().collect();
    let served_domains = observed.domains_here(facts, host);
    let suspects: BTreeSet<Name> =
        presence.domains.iter().chain([&presence.hostname]).flat_map(fqdn).collect();
    let resolvers = observed.resolvers.clone();
    let (names, permissions, reverse, blocklists, policies, own_names, aliases, faults, connections, dead) = tokio::join!(
        spf::query_includes(resolver, facts, &observed.names, host, &own, end),
        dmarc::query_permissions(resolver, facts, &observed.names, end),
        reverse::query(resolver, &own, end),
        blocklists::query(resolver, &presence.blocklists, &own, end),
        web::policies(resolver, wanted, authorities, end),
        web::own_names(resolver, &served_domains, authorities, end),
        names::aliases(resolver, &targets, end),
        diagnosis::query(&resolvers, &suspects, &observed.names, end),
        connecting,
        port25::dead(resolver, &others, end),
    );
    observed.names = names;
    observed.names.extend(permissions);
    observed.reverse = reverse;
    observed.blocklists = blocklists;
    observed.policies = policies;
    observed.own_names = own_names;
    observed.aliases.extend(aliases);
    observed.faults = faults;
    observed.connections = connections;
    observed.dead_exchanges = dead;
}

/// The addresses and ports at which this machine is to be reached: the published ones.
fn reachable_ports(
    facts: &SiteFacts,
    scope: Scope,
    host: &Name,
    observed: &ObservedState,
) -> (Vec<IpAddr>, Vec<u16>) {
    let presence = &facts.presence;
    let mut published = observed.addresses(host);
    published.retain(|address| is_public(*address));
    if scope == Scope::Outside {
        // The steward checks only addresses that no interface has.
        published.retain(|address| !facts.addresses.contains(*address));
        return (published, vec![25]);
    }
    let mut ports = connections::MAIL_PORTS.to_vec();
    ports.extend(presence.serves_web.then_some(443));
    ports.extend(presence.acme_directory.is_some().then_some(80));
    (published, ports)
}

/// The host name in DNS, and a resolver that uses the servers of the settings or the system.
fn host_and_resolver(facts: &SiteFacts) -> Option<(Name, TokioResolver)> {
    let presence = &facts.presence;
    let servers = resolver::servers(&presence.dns_servers);
    Some((fqdn(&presence.hostname).ok()?, resolver::of(&servers).ok()?))
}

/// The domains whose SPF record lets this machine send from each of its addresses.
pub(super) async fn passing_domains(facts: &SiteFacts) -> BTreeSet<Name> {
    let end = Instant::now() + FIRST_HALF;
    let Some((host, resolver)) = host_and_resolver(facts) else { return BTreeSet::new() };
    let own: Vec<IpAddr> = facts.addresses.all().collect();
    spf::passing(&resolver, facts, &host, &own, end).await
}

/// The published addresses of the host name that no interface has and that lead here nevertheless.
pub(super) async fn addresses_that_lead_here(facts: &SiteFacts) -> Vec<IpAddr> {
    let end = Instant::now() + FIRST_HALF;
    let Some((host, resolver)) = host_and_resolver(facts) else { return Vec::new() };
    let kinds = [RecordType::A, RecordType::AAAA].map(|kind| (host.clone(), kind));
    let names = names::query(&resolver, &kinds.into(), end).await.0;
    let mut published: Vec<IpAddr> = names.values().flat_map(Answer::records).filter_map(address).collect();
    published.retain(|address| is_public(*address) && !facts.addresses.contains(*address));
    let reached = connections::connect_all(
        &published,
        &[25],
        &facts.presence.certificate,
        facts.presence.hostname.as_str(),
        end,
    )
    .await;
    published.retain(|address| reached.get(&(*address, 25)) == Some(&ConnectionOutcome::Own));
    published
}

/// A lookup with a deadline.
pub(super) async fn lookup(
    resolver: &TokioResolver,
    name: Name,
    kind: hickory_proto::rr::RecordType,
    end: Instant,
) -> super::observed::Answer {
    names::one(resolver, name, kind, end).await.0
}
