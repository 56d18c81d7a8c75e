//! The services of a running server, its users, and sessions with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use serde::Deserialize;

use crate::imap::Imap;
use crate::smtp::Smtp;
use crate::wait;

/// A server as its clients see it.
#[derive(Clone)]
pub struct Services {
    /// The address of each service, by the names of the sockets: `smtp`, `submission`, `submissions`, `imap`, `imaps`.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// The LMTP socket.
    pub lmtp: PathBuf,
    /// The name in its certificate.
    pub hostname: String,
    /// The clients' TLS configuration.
    pub tls_config: Arc<ClientConfig>,
    /// The users.
    pub users: Vec<User>,
}

/// One mailbox and its password.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The mailbox's address.
    pub address: String,
    /// The password, in clear.
    pub password: String,
}

impl Services {
    /// The address of a service.
    #[track_caller]
    pub fn address(&self, service: &str) -> SocketAddr {
        *self
            .addresses
            .get(service)
            .unwrap_or_else(|| panic!("no address for {service}: {:?}", self.addresses))
    }

    /// The clients' TLS configuration.
    pub fn tls_config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls_config)
    }

    /// The address of the user with this number.
    pub fn user(&self, number: usize) -> &str {
        &self.users[number].address
    }

    /// A session of another host on the SMTP port, after EHLO.
    #[track_caller]
    pub fn smtp_client(&self) -> Smtp {
        let mut session = Smtp::connect(self.address("smtp")).expect("the server greets");
        session.hello().expect("EHLO is answered").expect(250);
        session
    }

    /// An unauthenticated session on the submission port under TLS, after EHLO.
    #[track_caller]
    pub fn submission_session(&self) -> Smtp {
        let address = self.address("submissions");
        let mut session =
            Smtp::connect_secure(address, self.tls_config(), &self.hostname).expect("the server greets");
        session.hello().expect("EHLO is answered").expect(250);
        session
    }

    /// A session on the submission port, logged in as the user with this number.
    #[track_caller]
    pub fn submission_client(&self, number: usize) -> Smtp {
        let mut session = self.submission_session();
        let user = &self.users[number];
        session.log_in(&user.address, &user.password).expect("AUTH is answered").expect(235);
        session
    }

    /// An IMAP session, logged in as the user with this number.
    #[track_caller]
    pub fn imap_client(&self, number: usize) -> Imap {
        let address = self.address("imaps");
        let mut session =
            Imap::connect_secure(address, self.tls_config(), &self.hostname).expect("the server greets");
        let user = &self.users[number];
        session.log_in(&user.address, &user.password).expect("LOGIN is answered").ok();
        session
    }
}

impl Services {
    /// All messages in the INBOX of the user with this number.
    #[track_caller]
    pub fn inbox(&self, number: usize) -> Vec<String> {
        let mut reader = self.imap_client(number);
        reader.command("EXAMINE INBOX").expect("EXAMINE is answered").ok();
        let answer = reader.command("UID FETCH 1:* (UID BODY.PEEK[])").expect("FETCH is answered").ok();
        answer.untagged.into_iter().filter(|response| response.contains(" FETCH (")).collect()
    }

    /// The message that contains `words`, once it is in that user's INBOX.
    #[track_caller]
    pub fn await_message(&self, number: usize, words: &str) -> String {
        wait::until(&format!("{} has a message with {words:?}", self.user(number)), || {
            self.inbox(number).into_iter().find(|message| message.contains(words))
        })
    }
}
