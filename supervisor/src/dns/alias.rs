//! The target of a name after all aliases (CNAME, RFC 1034 §3.6.2).

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;

use super::resolver;

/// Limit of consecutive aliases; public resolvers follow about as many.
const MAX_ALIASES: usize = 8;

/// The reason why a name's target is unknown.
#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    /// No answer came for one of the names.
    #[error("DNS does not answer for {name}: {source}")]
    Unanswered {
        /// The name that was queried.
        name: Name,
        /// The error.
        source: NetError,
    },
    /// The aliases form a loop, or nearly so.
    #[error(
        "{0} leads through more than {MAX_ALIASES} aliases; point its CNAME record directly at the last name"
    )]
    Endless(Name),
}

/// The name at the end of all aliases; the name itself if it is not an alias, or does not exist.
pub async fn end_of(resolver: &TokioResolver, name: &Name) -> Result<Name, AliasError> {
    let mut end = name.clone();
    for _ in 0..=MAX_ALIASES {
        match resolver.lookup(end.clone(), RecordType::CNAME).await {
            Ok(found) => {
                let next = found.answers().iter().find_map(|record| match &record.data {
                    RData::CNAME(alias) if record.name == end => Some(alias.0.clone()),
                    _ => None,
                });
                match next {
                    Some(next) => end = next,
                    None => return Ok(end),
                }
            }
            Err(error) if resolver::is_answer(&error) => return Ok(end),
            Err(source) => return Err(AliasError::Unanswered { name: end, source }),
        }
    }
    Err(AliasError::Endless(name.clone()))
}
