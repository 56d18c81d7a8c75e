use argon2::password_hash::phc::PasswordHash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The scheme of a secret, with its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `$argon2id$`, `$argon2i$` (RFC 9106).
    Argon2 {
        /// The memory that it needs, in MiB.
        memory: u32,
    },
    /// `$5$`, `$6$`.
    ShaCrypt,
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// `{SSHA256}`, `{SSHA512}`: one round, guessed by the billion; accepted for users who migrate with such hashes.
    Salted(Salted),
}

/// The hash of a password followed by a salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Salted {
    Sha256,
    Sha512,
}

impl Salted {
    /// The number of octets of the hash; the salt follows.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// The reason why a text cannot be used as a secret. The text itself is never part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It names an unsupported scheme, or none.
    #[error("{0}; supported are {SUPPORTED_SCHEMES}")]
    UnknownScheme(&'static str),
    /// The braces name one scheme, and the text after them has the form of another or of none.
    #[error("a hash after {{{0}}} must begin with {begins}", begins = .1.join(" or "))]
    SchemeMismatch(&'static str, &'static [&'static str]),
    /// Only the beginning of a hash, or the rest of one in which a program has replaced variables.
    #[error("only the beginning of a hash is left")]
    Truncated,
    /// A quotation mark precedes the hash and would become part of it.
    #[error("the hash is in quotation marks that are part of the value: remove them")]
    Quoted,
    /// The scheme is known, but the rest does not have its format.
    #[error("the {0} hash is cut off or damaged")]
    Malformed(&'static str),
    /// Checking it would cost more than a mail server can spend on one login.
    #[error("checking it costs too much: {0}")]
    TooCostly(&'static str),
}

const SUPPORTED_SCHEMES: &str = "{ARGON2ID} or $argon2id$, $argon2i$, {SHA512-CRYPT} or $6$, {SHA256-CRYPT} or $5$, \
                     {BLF-CRYPT} or $2y$, $2b$, $2a$, {SSHA512}, {SSHA256}";

/// Four times doveadm's default of 64 MiB; a 512 MB host survives one such check.
const MAX_ARGON2_MEMORY: u32 = 256;
const MIN_ARGON2: usize = 16;
/// Memory times passes, in MiB: about four seconds.
const MAX_ARGON2_WORK: u64 = 4096;
/// A few seconds; mkpasswd and doveadm write 5,000 by default.
const MAX_ROUNDS: u32 = 2_000_000;
/// Each step doubles the time: 15 takes two seconds. doveadm's default is 5, htpasswd's 5, PHP's 12.
const MAX_BCRYPT_COST: u32 = 15;

/// Dovecot's names for the schemes, with the prefixes of the hashes that follow them.
const DOVECOT: [(&str, &[&str]); 6] = [
    ("ARGON2ID", &["$argon2id$"]),
    ("ARGON2I", &["$argon2i$"]),
    ("SHA512-CRYPT", &["$6$"]),
    ("SHA256-CRYPT", &["$5$"]),
    ("BLF-CRYPT", &["$2a$", "$2b$", "$2y$"]),
    ("CRYPT", &["$6$", "$5$", "$2a$", "$2b$", "$2y$"]),
];

/// The schemes that need the braces.
const SALTED: [(&str, Salted); 2] = [("SSHA512", Salted::Sha512), ("SSHA256", Salted::Sha256)];
/// Dovecot writes four octets of salt. A shorter one has been cut off.
const MIN_SALT: usize = 4;
/// No program writes a longer salt.
const MAX_SALT: usize = 64;

/// The identifiers of crypt(5) and of Argon2, of schemes that are supported and of others.
const CRYPT: [&str; 16] = [
    "1", "2", "2a", "2b", "2x", "2y", "3", "5", "6", "7", "y", "gy", "apr1", "argon2d", "argon2i", "argon2id",
];

/// True if a text looks like a hash, in a supported scheme or not: `{NAME}…` as Dovecot writes it, or `$id$…` with two
/// dollars as crypt(5) does. Surrounding blanks or quotation marks do not make it a password, and neither does a
/// missing part. Everything else is a password, `$ecret` and `{x` among them.
pub(crate) fn looks_like_hash(text: &str) -> bool {
    let text = without_quotation_mark(text.trim());
    let named = text.strip_prefix('{').and_then(|rest| rest.split_once('}')).is_some_and(|(name, _)| {
        let capitals =
            name.bytes().all(|o| o.is_ascii_uppercase() || o.is_ascii_digit() || b"-.".contains(&o));
        // Dovecot accepts the name of a supported scheme in any case: a hash is never read as a password.
        (capitals && !name.is_empty()) || is_known_name(name)
    });
    let crypt = text
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('$'))
        .is_some_and(|(id, _)| CRYPT.contains(&id));
    named || crypt || is_remnant(text)
}

fn is_known_name(name: &str) -> bool {
    let mut known = DOVECOT.iter().map(|(known, _)| known).chain(SALTED.iter().map(|(known, _)| known));
    known.any(|known| known.eq_ignore_ascii_case(name))
}

fn without_quotation_mark(text: &str) -> &str {
    text.strip_prefix(['\'', '"']).unwrap_or(text)
}

/// True if a text is the rest of a hash, as when compose takes `$` and the name after it for a variable and replaces
/// it with nothing.
///
/// | written | left |
/// |---|---|
/// | `$6$salt$hash/more` | `$6/more` |
/// | `$6$rounds=9000$salt$hash` | `$6=9000` |
/// | `$argon2id$v=19$m=65536,t=3,p=1$salt$hash` | `=19=65536,t=3,p=1` |
fn is_remnant(text: &str) -> bool {
    let of_crypt = text.strip_prefix('$').is_some_and(|rest| {
        let id = rest.split(['.', '/', '=']).next().unwrap_or_default();
        let is_crypt64 = |o: u8| o.is_ascii_alphanumeric() || b"./=$".contains(&o);
        CRYPT.contains(&id) && rest.bytes().all(is_crypt64)
    });
    let of_argon2 = text
        .strip_prefix("=19=")
        .or_else(|| text.strip_prefix("=16="))
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let of_braces = text.strip_prefix('{').is_some_and(is_known_name);
    of_crypt || of_argon2 || of_braces
}

/// The beginning of a complete hash in the scheme that a text names or is the rest of: `{BLF-CRYPT}$2a$…`. It contains
/// nothing of the text beyond the scheme.
pub(super) fn shape(text: &str) -> String {
    let text = without_quotation_mark(text.trim());
    let names =
        DOVECOT.iter().map(|(name, begins)| (*name, begins[0])).chain(SALTED.map(|(name, _)| (name, "")));
    let braced = text.strip_prefix('{').and_then(|rest| {
        let written = rest.split('}').next()?;
        names.clone().find(|(name, _)| name.eq_ignore_ascii_case(written))
    });
    if let Some((name, begins)) = braced {
        return format!("{{{name}}}{begins}…");
    }
    let bare = DOVECOT.iter().flat_map(|(_, begins)| *begins);
    let id = text.strip_prefix('$').and_then(|rest| rest.split(['$', '.', '/', '=']).next());
    let of_id = bare.clone().find(|begins| id.is_some_and(|id| begins[1..begins.len() - 1] == *id));
    match of_id {
        Some(begins) => format!("{begins}…"),
        None if text.starts_with('=') => "$argon2id$…".to_owned(),
        None => "$6$…".to_owned(),
    }
}

/// The scheme of a hash, and the hash without Dovecot's braces where they are not needed.
pub(super) fn read(text: &str) -> Result<(Scheme, &str), SecretError> {
    if without_quotation_mark(text) != text {
        return Err(SecretError::Quoted);
    }
    if is_remnant(text) {
        return Err(SecretError::Truncated);
    }
    let Some(braced) = text.strip_prefix('{') else { return Ok((read_bare(text)?, text)) };
    let (name, hash) =
        braced.split_once('}').ok_or(SecretError::UnknownScheme("the opening brace is not closed"))?;
    if let Some((name, salted)) = SALTED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Ok((read_salted(hash, name, *salted)?, text));
    }
    let (name, beginnings) = DOVECOT
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .ok_or(SecretError::UnknownScheme("the scheme in braces is not supported"))?;
    if !beginnings.iter().any(|beginning| hash.starts_with(beginning)) {
        return Err(SecretError::SchemeMismatch(name, beginnings));
    }
    Ok((read_bare(hash)?, hash))
}

fn read_bare(hash: &str) -> Result<Scheme, SecretError> {
    let id = hash.strip_prefix('$').and_then(|rest| rest.split_once('$')).map(|(id, _)| id);
    match id {
        Some("argon2id" | "argon2i") => read_argon2(hash),
        Some("6") => read_sha_crypt(&hash[3..], "SHA512-CRYPT", 86),
        Some("5") => read_sha_crypt(&hash[3..], "SHA256-CRYPT", 43),
        Some("2a" | "2b" | "2y") => read_bcrypt(hash),
        _ => Err(SecretError::UnknownScheme("it is not a hash in a supported scheme")),
    }
}

/// `$argon2id$v=19$m=65536,t=3,p=1$salt$hash`.
fn read_argon2(hash: &str) -> Result<Scheme, SecretError> {
    let malformed = SecretError::Malformed("Argon2");
    let parsed = PasswordHash::new(hash).map_err(|_| malformed.clone())?;
    let params = argon2::Params::try_from(&parsed).map_err(|_| malformed.clone())?;
    // Less than 16 octets were cut off: no program writes so few, and they would be easier to guess.
    if parsed.version.is_none()
        || parsed.salt.is_none()
        || parsed.hash.is_none_or(|hash| hash.len() < MIN_ARGON2)
    {
        return Err(malformed);
    }
    let memory = params.m_cost().div_ceil(1024);
    if memory > MAX_ARGON2_MEMORY {
        return Err(SecretError::TooCostly("Argon2 with more than 256 MiB"));
    }
    if u64::from(memory) * u64::from(params.t_cost()) > MAX_ARGON2_WORK {
        return Err(SecretError::TooCostly("Argon2 with too many passes for its memory"));
    }
    Ok(Scheme::Argon2 { memory })
}

/// `$6$[rounds=N$]salt$hash`, without the leading `$6$`.
fn read_sha_crypt(rest: &str, name: &'static str, digits: usize) -> Result<Scheme, SecretError> {
    const MAX_SALT: usize = 16;
    let malformed = SecretError::Malformed(name);
    let fields = match rest.strip_prefix("rounds=") {
        None => rest,
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or_else(|| malformed.clone())?;
            let rounds: u32 = rounds.parse().map_err(|_| malformed.clone())?;
            if rounds < sha_crypt::Params::ROUNDS_MIN {
                return Err(malformed);
            }
            if rounds > MAX_ROUNDS {
                return Err(SecretError::TooCostly("more than two million rounds"));
            }
            rest
        }
    };
    let (salt, hash) = fields.split_once('$').ok_or_else(|| malformed.clone())?;
    let is_crypt64 = |text: &str| text.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'.' || o == b'/');
    if salt.is_empty() || salt.len() > MAX_SALT || !is_crypt64(salt) {
        return Err(malformed);
    }
    if hash.len() != digits || !is_crypt64(hash) {
        return Err(malformed);
    }
    Ok(Scheme::ShaCrypt)
}

/// `{SSHA512}`, followed by the hash and the salt in base64.
fn read_salted(base64: &str, name: &'static str, salted: Salted) -> Result<Scheme, SecretError> {
    let octets = STANDARD.decode(base64).map_err(|_| SecretError::Malformed(name))?;
    let salt = octets.len().checked_sub(salted.length());
    match salt {
        Some(MIN_SALT..=MAX_SALT) => Ok(Scheme::Salted(salted)),
        _ => Err(SecretError::Malformed(name)),
    }
}

/// `$2y$05$` and 53 digits: 22 of salt, 31 of hash.
fn read_bcrypt(hash: &str) -> Result<Scheme, SecretError> {
    let malformed = SecretError::Malformed("BLF-CRYPT");
    let parts: bcrypt::HashParts = hash.parse().map_err(|_| malformed.clone())?;
    if hash.len() != 60 {
        return Err(malformed);
    }
    if parts.get_cost() > MAX_BCRYPT_COST {
        return Err(SecretError::TooCostly("bcrypt with a cost above 15"));
    }
    Ok(Scheme::Bcrypt)
}

impl Scheme {
    pub(crate) fn memory(self) -> u32 {
        match self {
            Self::Argon2 { memory } => memory.max(1),
            Self::ShaCrypt | Self::Bcrypt | Self::Salted(_) => 1,
        }
    }
}
