//! The current answers to an authority's challenges on ports 80 and 443. Each answer is removed when its owner is
//! dropped.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The answers.
#[derive(Default)]
pub(in crate::steward) struct Challenges {
    tokens: Mutex<HashMap<String, String>>,
    names: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

/// An answer that is served until this is dropped.
#[must_use]
pub(in crate::steward) struct ServedAnswer {
    challenges: Arc<Challenges>,
    key: Key,
}

enum Key {
    Token(String),
    Name(String),
}

impl Challenges {
    /// The HTTP-01 answer for a token.
    pub(in crate::steward) fn for_token(&self, token: &str) -> Option<String> {
        locked(&self.tokens).get(token).cloned()
    }

    /// Adds the HTTP-01 answer for a token.
    pub(in crate::steward) fn answer_token(self: &Arc<Self>, token: &str, answer: String) -> ServedAnswer {
        locked(&self.tokens).insert(token.to_owned(), answer);
        ServedAnswer { challenges: Arc::clone(self), key: Key::Token(token.to_owned()) }
    }

    /// Adds the TLS-ALPN-01 certificate for a name.
    pub(in crate::steward) fn answer_name(
        self: &Arc<Self>,
        name: &str,
        answer: CertifiedKey,
    ) -> ServedAnswer {
        let name = name.to_ascii_lowercase();
        locked(&self.names).insert(name.clone(), Arc::new(answer));
        ServedAnswer { challenges: Arc::clone(self), key: Key::Name(name) }
    }
}

impl Drop for ServedAnswer {
    fn drop(&mut self) {
        match &self.key {
            Key::Token(token) => drop(locked(&self.challenges.tokens).remove(token)),
            Key::Name(name) => drop(locked(&self.challenges.names).remove(name)),
        }
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        locked(&self.names).get(&name).cloned()
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenges")
    }
}
