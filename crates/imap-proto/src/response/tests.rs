use std::num::NonZeroU32;

use super::code::NewKeywords;
use super::*;
use crate::command::fetch::{Partial, Section, SectionText};
use crate::command::status::StatusItem;
use crate::command::{self, Request};
use crate::mailbox::SEPARATOR;
use crate::{
    DateTime, Flag, MailboxArgument, MailboxName, SequenceNumber, SequenceSet, SpecialUse, Tag, Uid,
    UidValidity,
};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn tag() -> Tag {
    command::parse(b"a1 NOOP").unwrap().tag
}

fn uids(numbers: &[u32]) -> SequenceSet {
    SequenceSet::from_numbers(numbers.iter().filter_map(|number| NonZeroU32::new(*number))).unwrap()
}

#[test]
fn response_codes_come_before_the_text() {
    let validity = UidValidity::new(38505).unwrap();
    let uid = Uid::new(3955).unwrap();
    let table = [
        (Code::AppendUid(validity, uid), "[APPENDUID 38505 3955]"),
        (
            Code::CopyUid(validity, uids(&[304, 319, 320]), uids(&[3956, 3957, 3958])),
            "[COPYUID 38505 304,319:320 3956:3958]",
        ),
        (Code::Capability(vec!["IMAP4rev1", "IDLE"]), "[CAPABILITY IMAP4rev1 IDLE]"),
        (Code::BadCharset(&["UTF-8"]), "[BADCHARSET (UTF-8)]"),
        (Code::ReadWrite, "[READ-WRITE]"),
        (
            Code::PermanentFlags { flags: vec![Flag::Seen], new_keywords: NewKeywords::Allowed },
            "[PERMANENTFLAGS (\\Seen \\*)]",
        ),
        (Code::PermanentFlags { flags: vec![], new_keywords: NewKeywords::Refused }, "[PERMANENTFLAGS ()]"),
    ];
    for (code, expected) in table {
        let line = written(|out| condition::tagged(out, &tag(), Condition::Ok, Some(&code), "done"));
        assert_eq!(line, format!("a1 OK {expected} done\r\n"));
    }
}

#[test]
fn a_text_never_breaks_its_line() {
    assert_eq!(written(|out| condition::bye(out, None, "a\r\nb ü")), "* BYE a??b ?\r\n");
    assert_eq!(written(|out| condition::continuation(out, "")), "+ -\r\n");
}

#[test]
fn a_string_is_an_atom_quoted_or_a_literal() {
    let table: [(&[u8], &str); 7] = [
        (b"INBOX", "INBOX"),
        (b"a b", "\"a b\""),
        (b"a\"b\\", "\"a\\\"b\\\\\""),
        (b"", "\"\""),
        (b"nil", "\"nil\""),
        (b"a\r\nb", "{4}\r\na\r\nb"),
        ("ü".as_bytes(), "{2}\r\nü"),
    ];
    for (content, expected) in table {
        assert_eq!(written(|out| string::astring(out, content)), expected);
    }
    assert_eq!(written(|out| string::nstring(out, None)), "NIL");
}

#[test]
fn a_nul_is_never_sent() {
    let mut out = Vec::new();
    string::string(&mut out, b"a\0b");
    assert_eq!(out, b"{3}\r\na\x80b");
}

#[test]
fn mailbox_responses_have_their_syntax() {
    let name = MailboxName::new("Entwürfe 2").unwrap();
    let attributes = [mailbox::Attribute::HasNoChildren, mailbox::Attribute::Use(SpecialUse::Drafts)];
    assert_eq!(
        written(|out| mailbox::list(out, &attributes, &name)),
        "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Entw&APw-rfe 2\"\r\n"
    );
    assert_eq!(written(mailbox::list_separator), "* LIST (\\Noselect) \"/\" \"\"\r\n");
    let attributes = [mailbox::Attribute::NonExistent, mailbox::Attribute::Subscribed];
    let above = MailboxName::new("Work").unwrap();
    assert_eq!(
        written(|out| mailbox::list_with_childinfo(out, &attributes, &above, &["SUBSCRIBED"])),
        format!(
            "* LIST (\\NonExistent \\Subscribed) \"{SEPARATOR}\" Work (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        )
    );
    let figures = [(StatusItem::Messages, 2), (StatusItem::UidNext, 5)];
    assert_eq!(
        written(|out| mailbox::status(out, &MailboxName::inbox(), &figures)),
        "* STATUS INBOX (MESSAGES 2 UIDNEXT 5)\r\n"
    );
    assert_eq!(written(|out| mailbox::search(out, [2, 84])), "* SEARCH 2 84\r\n");
    assert_eq!(written(|out| mailbox::search(out, [])), "* SEARCH\r\n");
    assert_eq!(written(|out| mailbox::flags(out, &[Flag::Seen])), "* FLAGS (\\Seen)\r\n");
}

#[test]
fn server_responses_have_their_syntax() {
    assert_eq!(written(|out| server::capability(out, &["IMAP4rev1"])), "* CAPABILITY IMAP4rev1\r\n");
    assert_eq!(written(|out| server::enabled(out, &[])), "* ENABLED\r\n");
    assert_eq!(
        written(|out| server::id(out, &[("name", Some("x")), ("os", None)])),
        "* ID (\"name\" \"x\" \"os\" NIL)\r\n"
    );
    assert_eq!(written(server::one_personal_namespace), "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
}

#[test]
fn items_of_a_message_have_one_space_between_them() {
    let line = written(|out| {
        let mut response = fetch::Response::open(out, SequenceNumber::new(12).unwrap());
        response.flags(out, &[Flag::Seen], fetch::Recent::Yes);
        response.uid(out, Uid::new(7).unwrap());
        response.internal_date(out, DateTime::utc(0));
        response.size(out, 44827);
        let fields = SectionText::HeaderFields(vec![b"Date".to_vec(), b"odd name".to_vec()]);
        let section = Section { part: vec![NonZeroU32::MIN], text: Some(fields) };
        let partial = Some(Partial { origin: 0, count: NonZeroU32::MIN });
        response.section(out, &section, partial);
        string::string(out, b"x");
        response.close(out);
    });
    assert_eq!(
        line,
        "* 12 FETCH (FLAGS (\\Seen \\Recent) UID 7 INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\" RFC822.SIZE 44827 \
         BODY[1.HEADER.FIELDS (Date \"odd name\")]<0> \"x\")\r\n"
    );
}

proptest! {
    #[test]
    fn an_encoded_mailbox_name_parses_back(text in "\\PC{1,20}") {
        // A name with an empty last level (`Work/`) exists only in a command: the store refuses it, and a response has none.
        let name = MailboxName::new(&text).filter(|name| !name.as_str().ends_with(SEPARATOR));
        let Some(name) = name else { return Ok(()) };
        let mut line = b"a SELECT ".to_vec();
        string::mailbox(&mut line, &name);
        prop_assert_eq!(command::parse(&line).unwrap().request, Request::Select(MailboxArgument::Name(name)));
    }

    #[test]
    fn any_encoded_string_parses_back(content in proptest::collection::vec(1_u8.., 0..1200)) {
        let mut line = b"a LOGIN x ".to_vec();
        string::astring(&mut line, &content);
        match command::parse(&line).unwrap().request {
            Request::Login(login) => prop_assert_eq!(login.password, content),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
