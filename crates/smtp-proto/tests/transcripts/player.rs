//! The player of a transcript.

use std::collections::BTreeMap;

use smtp_proto::Dialect;
use transcript::{Captures, Expectations, Pattern, Script, Step};

use super::server::{Delivered, Server};

struct TestConnection {
    server: Server,
    watch: Expectations,
    unsent: Vec<u8>,
}

/// Plays a script, with its octets arriving all at once and one by one.
pub(super) fn play(script: &Script, dialect: Dialect) -> Result<(), String> {
    for step in [usize::MAX, 1] {
        Player {
            script,
            dialect,
            step,
            connections: BTreeMap::new(),
            memory: Captures::new(),
            mailboxes: Vec::new(),
        }
        .play()?;
    }
    Ok(())
}

struct Player<'s> {
    script: &'s Script,
    dialect: Dialect,
    step: usize,
    connections: BTreeMap<u8, TestConnection>,
    memory: Captures,
    mailboxes: Vec<Delivered>,
}

impl Player<'_> {
    fn play(mut self) -> Result<(), String> {
        let script = self.script;
        for (number, step) in &script.steps {
            self.act(step).map_err(|fault| format!("line {number}: {fault}"))?;
        }
        Ok(())
    }

    fn connection(&mut self, connection: u8) -> &mut TestConnection {
        let (script, dialect) = (self.script, self.dialect);
        self.connections.entry(connection).or_insert_with(|| TestConnection {
            server: Server::new(dialect, script.requirements.message_size, script.requirements.over_tls),
            watch: Expectations::default(),
            unsent: Vec::new(),
        })
    }

    /// Sends the gathered octets, in one piece, and runs the server.
    fn flush(&mut self, connection: u8) -> &mut TestConnection {
        let unsent = std::mem::take(&mut self.connection(connection).unsent);
        let mut mailboxes = std::mem::take(&mut self.mailboxes);
        let step = self.step.min(unsent.len().max(1));
        self.connection(connection).server.receive(&unsent, step, &mut mailboxes);
        self.mailboxes = mailboxes;
        self.connection(connection)
    }

    fn act(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Send(connection, texts) => {
                for text in texts {
                    let octets = text.octets(&self.memory)?;
                    self.connection(*connection).unsent.extend(octets);
                }
                Ok(())
            }
            Step::Next(connection, pattern) => {
                let line = self.line(*connection)?;
                let shown = line.escape_ascii();
                if pattern.matches(&line, &mut self.memory) { Ok(()) } else { Err(format!("got {shown}")) }
            }
            Step::Among(connection, pattern) => {
                self.connection(*connection).watch.expect(pattern);
                Ok(())
            }
            Step::Never(connection, pattern) => {
                self.connection(*connection).watch.forbid(pattern);
                Ok(())
            }
            Step::Until(connection, pattern) => self.until(*connection, pattern),
            Step::Secure(connection) => {
                let made = self.flush(*connection).server.handshake();
                if made { Ok(()) } else { Err("the session does not wait for a handshake".to_owned()) }
            }
            Step::Closed(connection) => {
                let connection = self.flush(*connection);
                match connection.server.lines.pop_front() {
                    None if connection.server.closed => Ok(()),
                    None => Err("the session is not over".to_owned()),
                    Some(line) => Err(format!("got {}", line.escape_ascii())),
                }
            }
            Step::HangUp(connection) => {
                self.flush(*connection);
                self.connections.remove(connection);
                Ok(())
            }
            Step::Delivered { user, count } => {
                self.flush_all();
                let found = self.of(user).count();
                if found == *count { Ok(()) } else { Err(format!("{found} were delivered")) }
            }
            Step::Holds { user, text, expected } => self.holds(user, text, *expected),
        }
    }

    fn flush_all(&mut self) {
        for connection in self.connections.keys().copied().collect::<Vec<_>>() {
            self.flush(connection);
        }
    }

    fn line(&mut self, connection: u8) -> Result<Vec<u8>, String> {
        self.flush(connection).server.lines.pop_front().ok_or_else(|| "the server is silent".to_owned())
    }

    fn until(&mut self, connection: u8, pattern: &Pattern) -> Result<(), String> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.line(connection)?);
            if pattern.matches(&lines[lines.len() - 1], &mut self.memory) {
                break;
            }
        }
        let watch = std::mem::take(&mut self.connection(connection).watch);
        watch.check(&lines, &mut self.memory)
    }

    fn of<'t>(&'t self, user: &'t str) -> impl Iterator<Item = &'t Delivered> {
        self.mailboxes.iter().filter(move |message| message.users.iter().any(|reached| reached == user))
    }

    fn holds(&mut self, user: &str, text: &Pattern, wanted: bool) -> Result<(), String> {
        self.flush_all();
        let text = text.octets(&self.memory)?;
        let newest = self.of(user).last().ok_or("there is no message")?;
        let found = newest.octets.windows(text.len()).any(|window| window == text);
        if found == wanted { Ok(()) } else { Err(format!("the message is {}", newest.octets.escape_ascii())) }
    }
}
