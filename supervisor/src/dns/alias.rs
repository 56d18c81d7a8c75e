//! Where a name leads to by aliases (CNAME, RFC 1034 §3.6.2).

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;

use super::resolver;

/// So many aliases in a row are followed; resolvers that others use follow about as many.
const MOST: usize = 8;

/// Why it is not known where a name leads to.
#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    /// Nobody answers for one of them.
    #[error("DNS does not answer for {name}: {source}")]
    Unanswered {
        /// The name that was asked for.
        name: Name,
        /// What was said.
        source: NetError,
    },
    /// They lead in a circle, or nearly so.
    #[error("{0} leads through more than {MOST} aliases; let its CNAME record lead to the last name at once")]
    Endless(Name),
}

/// The name at the end of all aliases; the name itself where it is none, or does not exist.
pub async fn end_of(resolver: &TokioResolver, name: &Name) -> Result<Name, AliasError> {
    let mut end = name.clone();
    for _ in 0..=MOST {
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
