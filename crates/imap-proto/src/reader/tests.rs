use super::*;
use crate::MailboxName;
use crate::command::Request;
use proptest::prelude::*;

const LIMIT: usize = 200;

/// Events as a server sees them, with the octets of each APPEND joined.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Command(Request),
    Malformed(Option<String>),
    Continue,
    Append(u64),
    Message(Vec<u8>),
    AppendEnd(bool),
}

/// Feeds the pieces, accepts messages of up to 50 octets, and records the events.
fn read_pieces(pieces: &[&[u8]]) -> Vec<Seen> {
    let mut reader = Reader::new(LIMIT);
    let mut seen = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        read_all(&mut reader, &mut seen);
    }
    seen
}

fn read_all(reader: &mut Reader, seen: &mut Vec<Seen>) {
    while let Some(event) = reader.next_event() {
        match event {
            Event::Command(command) => seen.push(Seen::Command(command.request)),
            Event::Malformed(malformed) => {
                seen.push(Seen::Malformed(malformed.tag.map(|tag| tag.to_string())))
            }
            Event::Continue => seen.push(Seen::Continue),
            Event::Append(append) => {
                seen.push(Seen::Append(append.message.size));
                if append.message.size <= 50 { reader.accept_message() } else { reader.refuse_message() }
            }
            Event::Octets(octets) => match seen.last_mut() {
                Some(Seen::Message(message)) => message.extend_from_slice(octets),
                _ => seen.push(Seen::Message(octets.to_vec())),
            },
            Event::AppendEnd(end) => seen.push(Seen::AppendEnd(end.is_ok())),
            Event::ContinuationResponse(_) => panic!("unexpected continuation response"),
        }
    }
}

fn bad() -> Seen {
    Seen::Malformed(Some("a".to_owned()))
}

/// RFC 2971 §3.3: thirty pairs of 30 and 1,024 octets, from a client whose other commands are bounded.
#[test]
fn the_largest_id_is_accepted_and_a_larger_one_refused() {
    let pairs = |count: usize, value: &str| format!("\"{}\" {value} ", "f".repeat(30)).repeat(count);
    let quoted = format!("\"{}\"", "v".repeat(1024));
    let literal = format!("{{1024+}}\r\n{}", "v".repeat(1024));
    for value in [&quoted, &literal] {
        let line = format!("a Id ({}\"last\" NIL)\r\n", pairs(29, value));
        let octets = line.as_bytes();
        assert_eq!(read_pieces(&[octets]), [Seen::Command(Request::Id)]);
        let pieces: Vec<&[u8]> = octets.chunks(100).collect();
        assert_eq!(read_pieces(&pieces), [Seen::Command(Request::Id)]);
    }
    assert_eq!(read_pieces(&[format!("a ID ({})\r\n", pairs(40, &quoted)).as_bytes()]), [bad()]);
    assert_eq!(read_pieces(&[format!("a LOGIN {quoted} x\r\n").as_bytes()]), [bad()]);
}

#[test]
fn commands_may_come_together_and_in_pieces() {
    let expected = [Seen::Command(Request::Noop), Seen::Command(Request::Check)];
    assert_eq!(read_pieces(&[b"a NOOP\r\nb CHECK\r\n"]), expected);
    assert_eq!(read_pieces(&[b"a NO", b"OP\r", b"\nb CHECK\n"]), expected);
}

#[test]
fn a_small_literal_is_requested_and_collected() {
    let seen = read_pieces(&[b"a SELECT {5}\r\n", b"inbox\r\n"]);
    assert_eq!(seen[0], Seen::Continue);
    assert!(
        matches!(&seen[1], Seen::Command(Request::Select(argument)) if argument.name().is_some_and(MailboxName::is_inbox))
    );
}

/// RFC 7888 §3
#[test]
fn a_non_synchronising_literal_gets_no_continuation_request() {
    let seen = read_pieces(&[b"a LOGIN {1+}\r\nu {1+}\r\np\r\nb NOOP\r\n"]);
    assert!(matches!(seen[..], [Seen::Command(Request::Login(_)), Seen::Command(Request::Noop)]));
}

#[test]
fn a_message_is_announced_before_it_is_requested() {
    let mut reader = Reader::new(LIMIT);
    reader.feed(b"a APPEND INBOX {4}\r\n");
    assert!(matches!(reader.next_event(), Some(Event::Append(_))));
    assert_eq!(reader.next_event(), None);
    reader.accept_message();
    assert_eq!(reader.next_event(), Some(Event::Continue));
    reader.feed(b"te");
    assert_eq!(reader.next_event(), Some(Event::Octets(b"te")));
    assert_eq!(reader.next_event(), None);
    reader.feed(b"xt\r\nb NOOP\r\n");
    assert_eq!(reader.next_event(), Some(Event::Octets(b"xt")));
    assert_eq!(reader.next_event(), Some(Event::AppendEnd(Ok(()))));
    assert!(matches!(reader.next_event(), Some(Event::Command(_))));
}

#[test]
fn a_refused_synchronising_message_is_never_requested() {
    assert_eq!(
        read_pieces(&[b"a APPEND INBOX {51}\r\nb NOOP\r\n"]),
        [Seen::Append(51), Seen::Command(Request::Noop)]
    );
}

/// RFC 7888 §4
#[test]
fn a_refused_non_synchronising_message_is_drained_with_its_line() {
    let mut text = b"a APPEND INBOX {51+}\r\n".to_vec();
    text.extend_from_slice(&[b'\n'; 51]);
    text.extend_from_slice(b" rest\r\nb NOOP\r\n");
    assert_eq!(read_pieces(&[&text]), [Seen::Append(51), Seen::Command(Request::Noop)]);
}

#[test]
fn a_message_may_be_refused_during_its_transfer() {
    let mut reader = Reader::new(LIMIT);
    reader.feed(b"a APPEND INBOX {6+}\r\nab");
    assert!(matches!(reader.next_event(), Some(Event::Append(_))));
    reader.accept_message();
    assert_eq!(reader.next_event(), Some(Event::Octets(b"ab")));
    reader.refuse_message();
    reader.feed(b"cdef\r\nb NOOP\r\n");
    assert!(matches!(reader.next_event(), Some(Event::Command(_))));
}

#[test]
fn octets_after_the_message_of_an_append_are_an_error() {
    let seen = read_pieces(&[b"a APPEND INBOX {1+}\r\nx y\r\nb NOOP\r\n"]);
    let expected = [Seen::Append(1), Seen::Message(b"x".to_vec()), Seen::AppendEnd(false)];
    assert_eq!(seen[..3], expected);
    assert_eq!(seen[3], Seen::Command(Request::Noop));
}

#[test]
fn a_message_may_be_empty() {
    let expected = [Seen::Append(0), Seen::Continue, Seen::AppendEnd(true)];
    assert_eq!(read_pieces(&[b"a APPEND INBOX {0}\r\n", b"\r\n"]), expected);
}

#[test]
fn an_overlong_line_is_refused_once_and_skipped() {
    let mut text = b"a NOOP ".to_vec();
    text.resize(10 * LIMIT, b'x');
    text.extend_from_slice(b"\r\nb NOOP\r\n");
    assert_eq!(read_pieces(&[&text]), [bad(), Seen::Command(Request::Noop)]);
    let pieces: Vec<&[u8]> = text.chunks(7).collect();
    assert_eq!(read_pieces(&pieces), [bad(), Seen::Command(Request::Noop)]);
}

#[test]
fn an_oversized_literal_is_never_requested() {
    assert_eq!(read_pieces(&[b"a SELECT {201}\r\nb NOOP\r\n"]), [bad(), Seen::Command(Request::Noop)]);
    let mut text = b"a SELECT {201+}\r\n".to_vec();
    text.extend_from_slice(&[b'x'; 201]);
    text.extend_from_slice(b"\r\nb NOOP\r\n");
    assert_eq!(read_pieces(&[&text]), [bad(), Seen::Command(Request::Noop)]);
}

#[test]
fn a_nul_is_refused_and_the_next_command_is_read() {
    assert_eq!(read_pieces(&[b"a NO\0OP\r\nb NOOP\r\n"]), [bad(), Seen::Command(Request::Noop)]);
    assert_eq!(read_pieces(&[b"\0\r\nb NOOP\r\n"]), [Seen::Malformed(None), Seen::Command(Request::Noop)]);
}

#[test]
fn an_empty_line_is_malformed() {
    assert_eq!(read_pieces(&[b"\r\na NOOP\r\n"]), [Seen::Malformed(None), Seen::Command(Request::Noop)]);
}

#[test]
fn a_continuation_response_is_one_line_and_bounded() {
    let mut reader = Reader::new(LIMIT);
    reader.feed(b"a IDLE\r\nDONE\r\nb NOOP\r\n");
    assert!(matches!(reader.next_event(), Some(Event::Command(_))));
    reader.expect_continuation_response();
    assert_eq!(reader.next_event(), Some(Event::ContinuationResponse(b"DONE".to_vec())));
    assert!(matches!(reader.next_event(), Some(Event::Command(_))));
    reader.expect_continuation_response();
    reader.feed(&[b'x'; MAX_CONTINUATION_RESPONSE + 1]);
    assert!(matches!(reader.next_event(), Some(Event::Malformed(_))));
    reader.feed(b"\r\nb NOOP\r\n");
    assert!(matches!(reader.next_event(), Some(Event::Command(_))));
}

#[test]
fn the_literals_of_a_command_are_bounded_in_sum() {
    let mut text = b"a LOGIN {90+}\r\n".to_vec();
    text.extend_from_slice(&[b'x'; 90]);
    text.extend_from_slice(b" {90+}\r\n");
    text.extend_from_slice(&[b'y'; 90]);
    text.extend_from_slice(b"\r\nb NOOP\r\n");
    assert_eq!(read_pieces(&[&text]), [bad(), Seen::Command(Request::Noop)]);
}

/// Lines that a client might send, and lines that no client should.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(b"a NOOP\r\n".to_vec()),
        Just(b"a SELECT {3+}\r\nabc\r\n".to_vec()),
        Just(b"a APPEND x {5+}\r\nhello\r\n".to_vec()),
        Just(b"a APPEND x (\\Odd) {3+}\r\nabc\r\n".to_vec()),
        Just(b"a APPEND {1+}\r\nx {60+}\r\n".to_vec()),
        Just(b"a LOGIN {300+}\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

proptest! {
    /// The events do not depend on how the network splits the octets.
    #[test]
    fn events_do_not_depend_on_the_pieces(text in conversation(), size in 1_usize..9) {
        let pieces: Vec<&[u8]> = text.chunks(size).collect();
        prop_assert_eq!(read_pieces(&pieces), read_pieces(&[&text]));
    }
}

#[test]
fn a_second_message_of_an_append_is_not_read_as_commands() {
    // RFC 3502 (MULTIAPPEND) is not announced. If a client uses it nevertheless, the message must not run as commands.
    let taken = read_pieces(&[b"a APPEND x {2+}\r\nhi {8+}\r\nb NOOP\r\n\r\nc CHECK\r\n"]);
    let seen = [
        Seen::Append(2),
        Seen::Message(b"hi".to_vec()),
        Seen::AppendEnd(false),
        Seen::Command(Request::Check),
    ];
    assert_eq!(taken, seen);
    let mut refused = b"a APPEND x {60+}\r\n".to_vec();
    refused.extend([b'x'; 60]);
    refused.extend_from_slice(b" {8+}\r\nb NOOP\r\n\r\nc CHECK\r\n");
    assert_eq!(read_pieces(&[&refused]), [Seen::Append(60), Seen::Command(Request::Check)]);
}
