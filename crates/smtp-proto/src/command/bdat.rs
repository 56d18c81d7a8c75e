use super::CommandError;

/// `BDAT` with the size of its chunk (RFC 3030 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BdatCommand {
    /// The number of octets that follow the command.
    pub size: u64,
    /// Is set for the last chunk of a message.
    pub is_last: bool,
}

/// ```text
/// bdat-cmd   ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
/// chunk-size ::= 1*DIGIT
/// end-marker ::= "LAST"
/// ```
///
/// (RFC 3030 §2.) A number too large to hold is larger than any limit.
pub(super) fn parse(arguments: &str) -> Result<BdatCommand, CommandError> {
    let (size, marker) = match arguments.split_once(' ') {
        Some((size, marker)) => (size, Some(marker)),
        None => (arguments, None),
    };
    let is_number = !size.is_empty() && size.bytes().all(|octet| octet.is_ascii_digit());
    let is_last = marker.is_some_and(|marker| marker.eq_ignore_ascii_case("LAST"));
    if !is_number || marker.is_some() && !is_last {
        return Err(CommandError::BadChunkSize);
    }
    Ok(BdatCommand { size: size.parse().unwrap_or(u64::MAX), is_last })
}
