//! Commands, and the table of their effects in each state.

use sasl::Credentials;

use super::chunk::{self, BdatEffect};
use super::state::{
    Authentication, Declarations, PendingRequest, Ready, Reception, State, StateBeforeHello, Transaction,
};
use super::{Data, Hello, Mail, Rcpt, Security, Session, capabilities, limits, login};
use crate::command::{
    AuthCommand, BdatCommand, BodyKind, Command, CommandError, HelloName, HelloVerb, MailCommand, RcptCommand,
};
use crate::input::Line;
use crate::{Dialect, Reply, replies};

/// The effect of a command.
pub(super) enum CommandEffect {
    /// The command has been answered.
    Continue,
    /// There is no complete command yet.
    NeedInput,
    Reset,
    /// The transaction ends: its message is larger than the limit.
    TooBig,
    Hello(Hello),
    Mail(Mail),
    Rcpt(Rcpt),
    Data(Data),
    Login(Credentials),
}

/// Reads a command and executes it, as far as the session can do that alone.
pub(super) fn advance(session: &mut Session, state: State) -> CommandEffect {
    let limit = if is_auth(session.input.pending()) { limits::AUTH_LINE } else { limits::COMMAND_LINE };
    let length = match session.input.line(limit) {
        Line::Unfinished => {
            session.state = state;
            return CommandEffect::NeedInput;
        }
        Line::TooLong => {
            session.answer_error(&replies::LINE_TOO_LONG, state);
            return CommandEffect::Continue;
        }
        Line::Whole(length) => length,
    };
    match Command::parse(&session.input.take(length + 2)[..length]) {
        Ok(command) => execute(session, state, command),
        // The octets of the chunk must not be read as commands, and where they end is unknown.
        Err(error @ CommandError::BadChunkSize) => session.respond(&refusal(error), State::Closing),
        Err(error) => {
            session.answer_error(&refusal(error), state);
            CommandEffect::Continue
        }
    }
}

/// True for AUTH, which may have a long response on its own line (RFC 4954 §4).
fn is_auth(pending: &[u8]) -> bool {
    pending.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

/// The table: the effect of a command in each state.
fn execute(session: &mut Session, state: State, command: Command) -> CommandEffect {
    match (command, state) {
        (Command::Noop, state) => session.respond(&replies::OK, state),
        (Command::Help, state) => session.respond(&replies::HELP, state),
        (Command::Vrfy, state) => session.respond(&replies::CANNOT_VERIFY, state),
        (Command::Quit, _) => session.respond(&replies::CLOSING, State::Closing),
        (Command::Expn, state) => session.respond_error(&replies::NOT_IMPLEMENTED, state),
        (Command::Hello(verb, name), state) => hello(session, state, verb, name),
        (Command::Rset, state) => reset(session, state),
        (Command::StartTls, state) => starttls(session, state),
        (Command::Auth(command), state) => auth(session, state, command),
        (Command::Mail(command), State::Ready(ready)) => mail(session, ready, command),
        (Command::Mail(_), state @ State::Mail(_)) => session.respond_error(&replies::NESTED_MAIL, state),
        (Command::Rcpt(command), State::Mail(transaction)) => rcpt(session, transaction, command),
        (Command::Data, State::Mail(transaction)) => data(session, transaction),
        (Command::Bdat(command), state) => bdat(session, state, command),
        (Command::Mail(_), state @ State::Chunked(_)) => session.respond_error(&replies::NESTED_MAIL, state),
        // "DATA and BDAT commands cannot be used in the same transaction" (RFC 3030 §3).
        (Command::Rcpt(_) | Command::Data, state @ State::Chunked(_)) => {
            session.respond_error(&replies::MESSAGE_HAS_BEGUN, state)
        }
        // Not an error of the client: it may have pipelined, and its MAIL was refused.
        (Command::Rcpt(_) | Command::Data, state @ State::Ready(_)) => {
            session.respond(&replies::MAIL_FIRST, state)
        }
        (Command::Mail(_) | Command::Rcpt(_) | Command::Data, state) => {
            session.respond_error(&hello_first(session), state)
        }
    }
}

/// The reply to a command before the hello.
fn hello_first(session: &Session) -> Reply {
    match session.settings.dialect {
        Dialect::Smtp | Dialect::Submission => replies::HELLO_FIRST,
        Dialect::Lmtp => replies::LHLO_FIRST,
    }
}

/// HELO, EHLO, LHLO: each dialect has its own (RFC 2033 §4.1), and a new one ends an open transaction
/// (RFC 5321 §4.1.4).
fn hello(session: &mut Session, state: State, verb: HelloVerb, name: HelloName) -> CommandEffect {
    let lmtp = session.settings.dialect == Dialect::Lmtp;
    if lmtp != (verb == HelloVerb::Lhlo) {
        return session.respond_error(&replies::UNKNOWN_COMMAND, state);
    }
    // The machine of a user may have any name (RFC 5321 §4.1.4); a peer is identified by its name.
    if !name.is_exact() && session.settings.dialect != Dialect::Submission {
        return session.respond_error(&replies::BAD_HELLO_NAME, state);
    }
    let before = match state {
        State::Ready(ready) => StateBeforeHello::Ready(ready),
        State::Mail(transaction) | State::Chunked(Reception { transaction, .. }) => {
            StateBeforeHello::Ready(transaction.ready)
        }
        _ => StateBeforeHello::Fresh,
    };
    session.state = State::Pending(PendingRequest::Hello(before));
    CommandEffect::Hello(Hello { verb, name })
}

/// RSET (RFC 5321 §4.1.1.5): allowed everywhere.
fn reset(session: &mut Session, state: State) -> CommandEffect {
    match state {
        State::Mail(transaction) | State::Chunked(Reception { transaction, .. }) => {
            session.answer(&replies::OK, State::Ready(transaction.ready));
            CommandEffect::Reset
        }
        state => session.respond(&replies::OK, state),
    }
}

/// MAIL (RFC 5321 §4.1.1.2), after TLS and the login on the submission ports (RFC 3207 §4, RFC 4954 §6) and the check
/// of the declared size (RFC 1870 §6).
fn mail(session: &mut Session, ready: Ready, command: MailCommand) -> CommandEffect {
    if session.settings.dialect == Dialect::Submission
        && ready.authentication == Authentication::NotAuthenticated
    {
        let first = match session.security {
            Security::Clear => &replies::TLS_FIRST,
            Security::Tls => &replies::LOGIN_FIRST,
        };
        return session.respond_error(first, State::Ready(ready));
    }
    let has_unoffered = command.has_dsn && !capabilities::offers_dsn(session)
        || command.has_auth && !capabilities::offers_auth(session)
        || command.is_junk && !capabilities::offers_verdict(session)
        || command.requires_tls && !capabilities::offers_requiretls(session)
        || command.body == BodyKind::BinaryMime && !capabilities::offers_chunking(session);
    if has_unoffered {
        return session.respond_error(&replies::UNKNOWN_PARAMETER, State::Ready(ready));
    }
    if command.size.is_some_and(|size| size > session.settings.message_size) {
        return session.respond(&replies::MESSAGE_TOO_BIG, State::Ready(ready));
    }
    let is_binary = command.body == BodyKind::BinaryMime;
    let declarations = Declarations { smtputf8: command.smtputf8, is_binary };
    session.state = State::Pending(PendingRequest::Mail(ready, declarations));
    CommandEffect::Mail(Mail { command })
}

/// RCPT (RFC 5321 §4.1.1.3).
fn rcpt(session: &mut Session, transaction: Transaction, command: RcptCommand) -> CommandEffect {
    if command.has_dsn && !capabilities::offers_dsn(session) {
        return session.respond_error(&replies::UNKNOWN_PARAMETER, State::Mail(transaction));
    }
    if command.has_utf8 && !transaction.declarations.smtputf8 {
        return session.respond_error(&replies::NON_ASCII_RECIPIENT, State::Mail(transaction));
    }
    if transaction.recipients >= session.settings.recipients {
        return session.respond(&replies::TOO_MANY_RECIPIENTS, State::Mail(transaction));
    }
    session.state = State::Pending(PendingRequest::Rcpt(transaction));
    CommandEffect::Rcpt(Rcpt { command })
}

/// DATA (RFC 5321 §4.1.1.4). A client that pipelines may send it although all recipients were refused.
fn data(session: &mut Session, transaction: Transaction) -> CommandEffect {
    // DATA after BODY=BINARYMIME gets 503 (RFC 3030 §3).
    if transaction.declarations.is_binary {
        return session.respond_error(&replies::BINARY_NEEDS_BDAT, State::Mail(transaction));
    }
    let recipients = transaction.recipients;
    if recipients > 0 {
        session.state = State::Pending(PendingRequest::Data(transaction, None));
        return CommandEffect::Data(Data { recipients });
    }
    // "If there were no successful RCPT TO commands … the server MUST return 503" (RFC 2033 §4.2).
    if transaction.refused && session.settings.dialect != Dialect::Lmtp {
        return session.respond(&replies::NO_VALID_RECIPIENTS, State::Mail(transaction));
    }
    session.respond(&replies::RCPT_FIRST, State::Mail(transaction))
}

/// BDAT (RFC 3030 §2). A client that pipelines may send it although its MAIL, its recipients or an earlier chunk were
/// refused: the octets of the chunk are dropped.
fn bdat(session: &mut Session, state: State, command: BdatCommand) -> CommandEffect {
    if !capabilities::offers_chunking(session) {
        return session.respond_error(&replies::NOT_IMPLEMENTED, State::Closing);
    }
    let effect = match state {
        State::Mail(transaction) => chunk::first(session, transaction, command),
        State::Chunked(reception) => chunk::further(session, reception, command),
        state @ State::Ready(_) => {
            chunk::refuse(session, command.size, replies::MAIL_FIRST, state);
            BdatEffect::Continue
        }
        // No client pipelines before the hello.
        _ => return session.respond_error(&hello_first(session), State::Closing),
    };
    match effect {
        BdatEffect::Continue => CommandEffect::Continue,
        BdatEffect::Data(data) => CommandEffect::Data(data),
        BdatEffect::TooBig => CommandEffect::TooBig,
    }
}

/// STARTTLS (RFC 3207 §4). Commands that were pipelined after it are dropped when the handshake is done.
fn starttls(session: &mut Session, state: State) -> CommandEffect {
    if session.settings.dialect == Dialect::Lmtp {
        return session.respond_error(&replies::NOT_IMPLEMENTED, state);
    }
    if session.security == Security::Tls {
        return session.respond_error(&replies::TLS_ALREADY_ACTIVE, state);
    }
    if !capabilities::offers_starttls(session) {
        return session.respond(&replies::TLS_UNAVAILABLE, state);
    }
    match state {
        State::Mail(_) | State::Chunked(_) => session.respond_error(&replies::NOT_IN_TRANSACTION, state),
        _ => session.respond(&replies::READY_FOR_TLS, State::AwaitTls),
    }
}

/// AUTH (RFC 4954 §4): on the submission ports, under TLS, once, and outside of a transaction.
fn auth(session: &mut Session, state: State, command: AuthCommand) -> CommandEffect {
    match session.settings.dialect {
        Dialect::Submission => {}
        Dialect::Smtp => return session.respond_error(&replies::AUTH_NOT_OFFERED, state),
        Dialect::Lmtp => return session.respond_error(&replies::NOT_IMPLEMENTED, state),
    }
    let ready = match state {
        State::Ready(ready) => ready,
        State::Mail(_) | State::Chunked(_) => {
            return session.respond_error(&replies::NOT_IN_TRANSACTION, state);
        }
        state => return session.respond_error(&hello_first(session), state),
    };
    if ready.authentication == Authentication::Authenticated {
        return session.respond_error(&replies::ALREADY_AUTHENTICATED, State::Ready(ready));
    }
    if session.security == Security::Clear {
        return session.respond_error(&replies::ENCRYPTION_REQUIRED, State::Ready(ready));
    }
    let step = command.mechanism.start(command.initial.as_deref().map(str::as_bytes));
    match login::handle_step(session, ready, step) {
        login::LoginEffect::Credentials(credentials) => CommandEffect::Login(credentials),
        login::LoginEffect::Continue | login::LoginEffect::NeedInput => CommandEffect::Continue,
    }
}

impl Session {
    /// Answers a command.
    fn respond(&mut self, reply: &Reply, state: State) -> CommandEffect {
        self.answer(reply, state);
        CommandEffect::Continue
    }

    /// Answers a command that was wrong here.
    fn respond_error(&mut self, reply: &Reply, state: State) -> CommandEffect {
        self.answer_error(reply, state);
        CommandEffect::Continue
    }

    /// Refuses an error of the client, and closes when there are too many.
    pub(super) fn answer_error(&mut self, reply: &Reply, state: State) {
        let reply = if self.counts.count_error() { &replies::TOO_MANY_ERRORS } else { reply };
        self.answer(reply, state);
    }
}

fn refusal(error: CommandError) -> Reply {
    match error {
        CommandError::MalformedLine => replies::MALFORMED_LINE,
        CommandError::Unknown => replies::UNKNOWN_COMMAND,
        CommandError::BadArguments => replies::BAD_ARGUMENTS,
        CommandError::NoArguments => replies::NO_ARGUMENTS,
        CommandError::BadHelloName => replies::BAD_HELLO_NAME,
        CommandError::BadSender => replies::BAD_SENDER,
        CommandError::NonAsciiSender => replies::NON_ASCII_SENDER,
        CommandError::BadRecipient => replies::BAD_RECIPIENT,
        CommandError::UnknownParameter => replies::UNKNOWN_PARAMETER,
        CommandError::BadChunkSize => replies::BAD_CHUNK_SIZE,
        CommandError::UnknownMechanism => replies::UNKNOWN_MECHANISM,
    }
}
