//! Looking: DNS, sockets and files, all at the same time and all under one budget. Whatever has not answered by then is
//! not known, and the checks say so.

mod blocklists;
mod certificate;
mod health;
mod listening;
mod machine;
mod names;
mod port25;
mod reverse;
mod spf;
mod vouched;
mod web;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hickory_proto::rr::Name;
use hickory_resolver::TokioResolver;
use tokio::time::Instant;

use super::checks::Scope;
use super::questions::Questions;
use super::world::World;
use crate::dns::records::{Facts, Wanted};
use crate::dns::{record::fqdn, resolver};

/// All of it together: a name server that has to find everything out takes seconds, and nobody waits for long.
const BUDGET: Duration = Duration::from_secs(20);
/// What has to follow the names of the first half gets the rest.
const FIRST_HALF: Duration = Duration::from_secs(12);

/// Where the steward answers, and whether the volume's owners are to be looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The steward's configuration.
    pub(super) steward: std::path::PathBuf,
    /// Where things lie and whose they are, when that is known.
    pub(super) owners: Option<crate::volume::Owners>,
    pub(super) folders: Option<crate::volume::Folders>,
}

/// Looks at everything that belongs to the scope.
pub(super) async fn observe(facts: &Facts, wanted: &Wanted, place: &Place, scope: Scope) -> World {
    let begin = Instant::now();
    let (half, end) = (begin + FIRST_HALF, begin + BUDGET);
    let presence = &facts.presence;
    let resolvers = resolver::servers(&presence.dns_servers);
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut world = World { at, resolvers: resolvers.clone(), ..World::default() };
    if scope == Scope::Whole {
        world.machine = machine::look(facts, place);
        let health = health::ask(&place.steward, end).await;
        if health.is_err() {
            world.machine.port_25 = listening::holder(25);
        }
        world.machine.health = Some(health);
    }
    world.machine.certificate = Some(certificate::look(presence, at));
    let (Ok(host), Ok(resolver), false) =
        (fqdn(&presence.hostname), resolver::of(&resolvers), presence.is_local)
    else {
        return world;
    };
    let questions = Questions::about(facts, wanted);
    let directory = presence.acme_directory.as_deref();
    let smtp_host = presence.smtp_host.as_deref();
    let forged = async {
        match scope {
            Scope::Whole => vouched::gives_forged(&resolvers, half).await,
            Scope::World => None,
        }
    };
    let (found, authentic, gives_forged, probe, date) = tokio::join!(
        names::ask(&resolver, &questions.all, half),
        vouched::ask(&resolvers, &questions.vouched, half),
        forged,
        port25::probe(&resolver, smtp_host, half),
        web::date(&resolver, directory, half),
    );
    (world.names, world.aliases) = found;
    world.authentic = authentic;
    world.gives_forged = gives_forged;
    world.probe = probe;
    world.ahead = date;
    let own = world.own_addresses(facts, &host);
    let targets = names::exchanges(&world.names);
    let visited = world.domains_here(facts, &host);
    let (names, reverse, blocklists, policies, own_names, aliases) = tokio::join!(
        spf::follow(&resolver, facts, &world.names, &host, &own, end),
        reverse::ask(&resolver, &own, end),
        blocklists::ask(&resolver, &presence.blocklists, &own, end),
        web::policies(&resolver, wanted, presence.authorities.as_deref(), end),
        web::own_names(&resolver, &visited, presence.authorities.as_deref(), end),
        names::aliases(&resolver, &targets, end),
    );
    world.names = names;
    world.reverse = reverse;
    world.blocklists = blocklists;
    world.policies = policies;
    world.own_names = own_names;
    world.aliases.extend(aliases);
    world
}

/// A resolver of ours with a deadline.
pub(super) async fn lookup(
    resolver: &TokioResolver,
    name: Name,
    kind: hickory_proto::rr::RecordType,
    end: Instant,
) -> super::world::Answer {
    names::one(resolver, name, kind, end).await.0
}
