use crate::{Exchange, ExchangeStep};

/// A mechanism that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN (draft-murchison-sasl-login): obsolete, but some clients still choose it first.
    Login,
}

impl Mechanism {
    /// The announced mechanisms, best first.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Login];

    /// Finds a mechanism by the name that a client sent. The case of names is ignored here, although RFC 4422 §3.1
    /// writes them in capitals only.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// Begins an exchange. `initial` is the initial response as it was sent: base64, `=` for an empty one
    /// (RFC 4954 §4, RFC 4959 §3).
    pub fn start(self, initial: Option<&[u8]>) -> ExchangeStep {
        let exchange = match self {
            Self::Plain => Exchange::plain(),
            Self::Login => Exchange::login(),
        };
        match initial {
            Some(response) => exchange.initial(response),
            None => exchange.challenge(),
        }
    }
}
