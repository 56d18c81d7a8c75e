//! Logging in (RFC 4954): PLAIN (RFC 4616) and LOGIN, the server's side as a small machine, PLAIN for the client.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A name and a password that a client gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Whose rights are wanted (authzid), where the client named somebody.
    pub acting_for: Option<String>,
    /// Who logs in (authcid).
    pub name: String,
    /// With what.
    pub password: Password,
}

/// A password. It is never shown, not even for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes a password in.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password, for whoever checks or sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How a client may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Two questions; older clients know nothing else.
    Login,
}

impl Mechanism {
    /// The mechanism of that name; names have no case (RFC 4422 §3.1).
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Plain, Self::Login].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// The name under which it is announced.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

/// A login under way: what the next response of the client will be.
#[derive(Debug)]
pub(crate) enum Exchange {
    Plain,
    LoginName,
    LoginPassword { name: String },
}

/// What follows a response.
#[derive(Debug)]
pub(crate) enum Progress {
    Done(Credentials),
    Goes(Exchange),
    Malformed,
}

impl Exchange {
    pub(crate) fn begin(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Plain => Self::Plain,
            Mechanism::Login => Self::LoginName,
        }
    }

    /// What is asked of the client, in base64: nothing, `Username:`, `Password:`.
    pub(crate) fn challenge(&self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::LoginName => "VXNlcm5hbWU6",
            Self::LoginPassword { .. } => "UGFzc3dvcmQ6",
        }
    }

    /// Takes the client's response, still in base64.
    pub(crate) fn respond(self, base64: &[u8]) -> Progress {
        let Some(response) = STANDARD.decode(base64).ok().and_then(|octets| String::from_utf8(octets).ok())
        else {
            return Progress::Malformed;
        };
        match self {
            Self::Plain => plain(&response).map_or(Progress::Malformed, Progress::Done),
            Self::LoginName => Progress::Goes(Self::LoginPassword { name: response }),
            Self::LoginPassword { name } => {
                Progress::Done(Credentials { acting_for: None, name, password: Password(response) })
            }
        }
    }
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd` (RFC 4616 §2); neither of the last two is empty.
fn plain(message: &str) -> Option<Credentials> {
    let mut parts = message.split('\0');
    let (authzid, authcid, passwd) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || authcid.is_empty() || passwd.is_empty() {
        return None;
    }
    Some(Credentials {
        acting_for: (!authzid.is_empty()).then(|| authzid.to_owned()),
        name: authcid.to_owned(),
        password: Password(passwd.to_owned()),
    })
}

/// The initial response of PLAIN, in base64.
pub(crate) fn plain_response(name: &str, password: &Password) -> String {
    STANDARD.encode(format!("\0{name}\0{}", password.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_three_parts_and_the_last_two_are_not_empty() {
        let credentials = plain("\0ann\0correct horse").unwrap();
        assert_eq!((credentials.name.as_str(), credentials.acting_for), ("ann", None));
        assert_eq!(plain("bob\0ann\0x").unwrap().acting_for.as_deref(), Some("bob"));
        for bad in ["", "ann\0x", "\0\0x", "\0ann\0", "\0ann\0x\0y"] {
            assert_eq!(plain(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_client_writes_what_the_server_reads() {
        let password = Password::new("correct horse");
        let Progress::Done(read) = Exchange::Plain.respond(plain_response("ann", &password).as_bytes())
        else {
            panic!("the response was not read");
        };
        assert_eq!(read, Credentials { acting_for: None, name: "ann".into(), password });
    }

    #[test]
    fn a_password_is_not_shown() {
        assert!(!format!("{:?}", Password::new("secret")).contains("secret"));
    }
}
