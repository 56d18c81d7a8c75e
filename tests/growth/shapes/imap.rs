//! Shapes for `imap-proto`.

use std::hint::black_box;
use std::num::NonZeroU32;

use imap_proto::command::fetch::{Partial, Section, SectionText};
use imap_proto::command::status::StatusItem;
use imap_proto::command::{self, FetchItem, Request, append};
use imap_proto::mailbox::{Pattern, utf7};
use imap_proto::reader::{Event, Reader};
use imap_proto::response::fetch::{Recent, Response};
use imap_proto::response::mailbox::Attribute;
use imap_proto::response::{Code, Condition, condition, mailbox, quota, server, string};
use imap_proto::{
    Date, DateTime, Flag, Keyword, MailboxArgument, MailboxName, SequenceNumber, SequenceSet, SpecialUse,
    Uid, UidValidity,
};

use super::values::{PLAIN_PIECES, value};
use super::{Shape, fill, shape};

const SIZE: usize = 1024;

/// More than any shape needs.
const LIMIT: usize = 1 << 20;

pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes = of_values();
    shapes.extend(of_commands());
    shapes.extend(of_readers());
    shapes.extend(of_names());
    shapes.extend(of_responses());
    shapes.extend(of_constants());
    shapes
}

fn of_values() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for piece in PLAIN_PIECES {
        let make = move |size| value(piece, size);
        let name = |function: &str| format!("{function} of {piece:?}");
        shapes.extend([
            shape(name("utf7::decode"), SIZE, make, |octets| drop(black_box(utf7::decode(&octets)))),
            shape(name("utf7::encode"), SIZE, make, |octets| {
                drop(black_box(utf7::encode(&String::from_utf8_lossy(&octets))));
            }),
            shape(name("string"), SIZE, make, |octets| {
                let mut out = Vec::new();
                string::string(&mut out, &octets);
                string::nstring(&mut out, Some(&octets));
                string::astring(&mut out, &octets);
                drop(black_box(out));
            }),
            shape(name("MailboxName::decode"), 128, make, |octets| {
                let Some(name) = MailboxName::decode(&octets) else { return };
                drop(black_box((name.encode(), name.parent(), name.is_inbox(), name.as_str().len())));
                string::mailbox(&mut Vec::new(), &name);
                black_box(MailboxArgument::Name(name).name().is_some());
            }),
            shape(name("Keyword::new"), 32, make, |octets| {
                black_box(Keyword::new(&octets).map(|keyword| keyword.as_str().len()));
            }),
            shape(name("SpecialUse::named"), SIZE, make, |octets| {
                black_box(SpecialUse::named(&octets));
            }),
        ]);
    }
    shapes
}

/// Commands by the text before, between and after the pieces that they repeat.
fn of_commands() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (before, piece, after) in [
        ("a SEARCH ALL", " ALL", ""),
        ("a SEARCH ", "NOT ", "ALL"),
        ("a SEARCH ", "(", ""),
        ("a SEARCH ALL", " OR ALL ALL", ""),
        ("a SEARCH ALL", " HEADER a b", ""),
        ("a SEARCH ALL", " SUBJECT \"\\\"\"", ""),
        ("a SEARCH ALL", " SUBJECT é", ""),
        ("a SEARCH ALL", " 1,2:3", ""),
        ("a SEARCH ALL", " KEYWORD a", ""),
        ("a SEARCH ALL", " SINCE 1-Feb-1994", ""),
        ("a SEARCH CHARSET ", "a", " ALL"),
        ("a FETCH 1", ",1", " ALL"),
        ("a FETCH 1", ",4:2", " ALL"),
        ("a FETCH 1", ",*", " ALL"),
        ("a FETCH 1 (UID", " BODY[1.2.3.HEADER.FIELDS (a)]<0.1>", ")"),
        ("a FETCH 1 BODY[HEADER.FIELDS (a", " a", ")]"),
        ("a FETCH 1 BODY[1", ".1", "]"),
        ("a STORE 1 FLAGS (a", " \\Seen", ")"),
        ("a STORE 1 FLAGS (a", " a", ")"),
        ("a STATUS a (MESSAGES", " MESSAGES", ")"),
        ("a CREATE a (USE (\\Sent", " \\Sent", "))"),
        ("a ENABLE a", " a", ""),
        ("a ID (", "\"a\" NIL ", "\"a\" NIL)"),
        ("a LOGIN \"", "\\\\", "\" a"),
        ("a LIST \"\" ", "&-", ""),
        ("a LIST \"\" ", "%a", ""),
        ("a LIST (SUBSCRIBED", " REMOTE", ") \"\" %"),
        ("a LIST \"\" (a", " a", ")"),
        ("a LIST \"\" % RETURN (CHILDREN", " SUBSCRIBED", ")"),
        ("a LIST \"\" % RETURN (STATUS (MESSAGES", " UNSEEN", "))"),
        ("a SELECT ", "&AOk-a", ""),
        ("a COPY 1", ":2,3", " a"),
        ("a AUTHENTICATE PLAIN ", "YQ==", ""),
        ("", "a", ""),
        ("a ", "a", ""),
    ] {
        let make = move |size| [before.as_bytes(), &fill(piece.as_bytes(), size), after.as_bytes()].concat();
        shapes.push(shape(format!("command::parse of {before}{piece}…"), SIZE, make, |octets| {
            let Ok(command) = command::parse(&octets) else { return };
            black_box(command.tag.as_str().len());
            if let Request::Fetch(fetch) = command.request {
                black_box(fetch.items.iter().any(FetchItem::marks_seen));
                drop(black_box((fetch.messages.set.ranges(u32::MAX), fetch.messages.set.to_string())));
            }
        }));
    }
    shapes
}

/// A client's input, by the text before the pieces that it repeats. Each is fed whole and octet by octet.
fn of_readers() -> Vec<Shape> {
    let long_tag = "a".repeat(2 * SIZE);
    let mut shapes = Vec::new();
    for (before, piece) in [
        (String::new(), "a NOOP\r\n"),
        (String::new(), "\n"),
        (String::new(), "a"),
        (String::new(), "{0+}\r\n"),
        (String::new(), "a {9+}\r\n"),
        ("a LOGIN".to_owned(), " {1+}\r\na"),
        (long_tag, "{0+}\r\n"),
        ("a APPEND ".to_owned(), "{0+}\r\n"),
        ("a APPEND {1+}\r\n".to_owned(), "a {0+}\r\n"),
        ("a APPEND a {99999999+}\r\n".to_owned(), "a\n"),
        (String::new(), "a APPEND a {1+}\r\na\r\n"),
        (String::new(), "a APPEND a {1}\r\n"),
        (String::new(), "a APPEND a (a {1+}\r\na\r\n"),
        ("a LOGIN ".to_owned(), "}"),
        ("a LOGIN ".to_owned(), "{"),
    ] {
        for (how, step) in [("whole", usize::MAX), ("octet by octet", 1)] {
            let before = before.clone();
            let make = move |size| [before.as_bytes(), &fill(piece.as_bytes(), size)].concat();
            let name =
                format!("Reader of {}…{piece:?} {how}", &make(0)[..make(0).len().min(20)].escape_ascii());
            shapes.push(shape(name, SIZE, make, move |octets: Vec<u8>| read(&octets, step)));
        }
    }
    shapes.push(shape(
        "append::parse_header",
        SIZE,
        |size| fill(b"a", size),
        |octets| {
            drop(black_box(append::parse_header(&[&b"a APPEND "[..], &octets, b" {1}"].concat())));
        },
    ));
    shapes.push(shape(
        "Reader::expect_continuation_response",
        SIZE,
        |size| fill(b"a", size),
        |octets| {
            let mut reader = Reader::new(LIMIT);
            reader.expect_continuation_response();
            reader.feed(&octets);
            reader.feed(b"\r\n");
            while reader.next_event().is_some() {}
        },
    ));
    shapes
}

fn read(octets: &[u8], step: usize) {
    let mut reader = Reader::new(LIMIT / 2);
    reader.set_limit(LIMIT);
    let mut accepts = true;
    for chunk in octets.chunks(step.min(octets.len())) {
        reader.feed(chunk);
        loop {
            match reader.next_event() {
                None => break,
                Some(Event::Append(_)) if accepts => reader.accept_message(),
                Some(Event::Append(_)) => reader.refuse_message(),
                Some(event) => drop(black_box(event)),
            }
            accepts = !accepts;
        }
    }
    black_box((reader.unread(), reader.passes_message()));
    black_box(reader.input_buffer());
}

/// Patterns against names that they nearly match.
fn of_names() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (pattern, name) in [
        ("*a", "a"),
        ("%a", "a"),
        ("*%", "a"),
        ("*.%", "."),
        ("a", "a"),
        ("ab", "ab"),
        ("%.", "a."),
        ("*aab", "aaaaab"),
    ] {
        let make = move |size: usize| {
            let mut pattern = fill(pattern.as_bytes(), size.min(30));
            pattern.extend(fill(b"a", size));
            pattern.push(b'b');
            let name = MailboxName::decode(&fill(name.as_bytes(), size)).unwrap();
            (Pattern::decode(&pattern).unwrap(), name)
        };
        shapes.push(shape(
            format!("Pattern::matches of {pattern:?} on {name:?}"),
            200,
            make,
            |(pattern, name)| {
                black_box((pattern.matches(&name), pattern.as_str().len()));
                drop(black_box(pattern.with_reference(&pattern)));
            },
        ));
    }
    for (name, step) in [("neighbours", 1), ("apart", 2)] {
        let make =
            move |size: usize| (1..=size).map(move |number| NonZeroU32::new((number * step) as u32).unwrap());
        shapes.push(shape(format!("SequenceSet::of {name}"), 256, make, |numbers| {
            let set = SequenceSet::from_numbers(numbers).unwrap();
            drop(black_box((set.ranges(7), set.to_string())));
        }));
    }
    shapes
}

fn of_responses() -> Vec<Shape> {
    let text = |size| String::from_utf8(fill(b"a\r\n\"", size)).unwrap();
    let flags = |count| {
        (0..count).map(|n| Flag::Keyword(Keyword::new(format!("a{n}").as_bytes()).unwrap())).collect()
    };
    vec![
        shape("condition", SIZE, text, |words| {
            let (out, tag) = (&mut Vec::new(), command::parse(b"a NOOP").unwrap().tag);
            condition::tagged(out, &tag, Condition::Ok, None, &words);
            condition::untagged(out, Condition::No, Some(&Code::ReadOnly), &words);
            condition::bye(out, None, &words);
            condition::continuation(out, &words);
            condition::challenge(out, &words);
        }),
        shape(
            "server",
            256,
            |count| vec!["A"; count],
            |names| {
                let out = &mut Vec::new();
                server::capability(out, &names);
                server::enabled(out, &names);
                let pairs: Vec<_> = names.iter().map(|name| (*name, Some(*name))).collect();
                server::id(out, &pairs);
                server::one_personal_namespace(out);
                condition::untagged(out, Condition::Ok, Some(&Code::Capability(names)), "a");
            },
        ),
        shape("flags", 64, flags, |flags: Vec<Flag>| {
            let out = &mut Vec::new();
            mailbox::flags(out, &flags);
            let mut response = Response::open(out, SequenceNumber::FIRST);
            response.flags(out, &flags, Recent::Yes);
            response.close(out);
            black_box(flags.iter().map(|flag| flag.as_str().len()).sum::<usize>());
        }),
        shape("search", 256, |count| count, |count| mailbox::search(&mut Vec::new(), 0..count as u32)),
        shape(
            "status",
            256,
            |count| vec![(StatusItem::Recent, 7); count],
            |figures| {
                mailbox::status(&mut Vec::new(), &MailboxName::inbox(), &figures);
                black_box(StatusItem::Unseen.as_str());
            },
        ),
        shape(
            "list",
            256,
            |count| vec![Attribute::Use(SpecialUse::All); count],
            |attributes| {
                let (out, name) = (&mut Vec::new(), MailboxName::new("a").unwrap());
                mailbox::list(out, &attributes, &name);
                mailbox::lsub(out, &attributes, &name);
                mailbox::list_with_childinfo(out, &attributes, &name, &vec!["SUBSCRIBED"; attributes.len()]);
                mailbox::list_separator(out);
                black_box(attributes.iter().map(|attribute| attribute.as_str().len()).sum::<usize>());
            },
        ),
        shape(
            "section",
            64,
            |count| count,
            |count| {
                let out = &mut Vec::new();
                let fields = SectionText::HeaderFields(vec![b"a".to_vec(); count]);
                let section = Section { part: vec![NonZeroU32::MIN; count], text: Some(fields) };
                let partial = Partial { origin: 0, count: NonZeroU32::MIN };
                Response::open(out, SequenceNumber::FIRST).section(out, &section, Some(partial));
            },
        ),
    ]
}

/// Functions of numbers: the work must not depend on the number.
fn of_constants() -> Vec<Shape> {
    vec![shape(
        "numbers",
        1 << 24,
        |size| size,
        |size| {
            let out = &mut Vec::new();
            let (seconds, number) = (size as i64, size as u32);
            black_box((Date::from_seconds(seconds), Date::new(number as i32, 2, 29)));
            let mut response = Response::open(out, SequenceNumber::new(number).unwrap());
            response.internal_date(out, DateTime::utc(seconds));
            response.uid(out, Uid::new(number).unwrap());
            response.size(out, size as u64);
            response.name(out, "BODY");
            string::literal_header(out, size as u64);
            black_box(string::nul_free(&0));
            mailbox::exists(out, number);
            mailbox::recent(out, number);
            mailbox::expunge(out, SequenceNumber::FIRST);
            quota::quota(out, size as u64, size as u64);
            quota::quota_root(out, &MailboxName::inbox(), true);
            let validity = UidValidity::new(number).unwrap();
            black_box((validity.value(), SequenceNumber::FIRST.value(), Uid::FIRST.value()));
            black_box(SpecialUse::All.as_str());
        },
    )]
}
