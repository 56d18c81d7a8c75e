use super::*;
use crate::{Flag, MailboxName, SpecialUse};
use proptest::prelude::*;

fn request(text: &str) -> Request {
    parse(text.as_bytes()).unwrap_or_else(|malformed| panic!("{text}: {}", malformed.error)).request
}

fn name(text: &str) -> MailboxArgument {
    MailboxArgument::Name(MailboxName::new(text).unwrap())
}

fn error_position(text: &str) -> usize {
    match parse(text.as_bytes()) {
        Err(Malformed { error: CommandError::Syntax(error), .. }) => error.at,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn commands_without_arguments_are_case_insensitive() {
    let table = [
        ("capability", Request::Capability),
        ("Noop", Request::Noop),
        ("LOGOUT", Request::Logout),
        ("STARTTLS", Request::StartTls),
        ("NAMESPACE", Request::Namespace),
        ("IDLE", Request::Idle),
        ("CHECK", Request::Check),
        ("CLOSE", Request::Close),
        ("UNSELECT", Request::Unselect),
        ("EXPUNGE", Request::Expunge),
    ];
    for (verb, expected) in table {
        assert_eq!(request(&format!("a {verb}")), expected);
        assert_eq!(error_position(&format!("a {verb} x")), 2 + verb.len());
    }
}

#[test]
fn every_command_with_a_mailbox_parses_its_name() {
    assert_eq!(request("a SELECT inbox"), Request::Select(name("INBOX")));
    assert_eq!(request("a EXAMINE \"a b\""), Request::Examine(name("a b")));
    assert_eq!(request("a DELETE Entw&APw-rfe"), Request::Delete(name("Entwürfe")));
    assert_eq!(request("a SUBSCRIBE a/b"), Request::Subscribe(name("a/b")));
    assert_eq!(request("a UNSUBSCRIBE {1}\r\na"), Request::Unsubscribe(name("a")));
    assert_eq!(request("a RENAME a b"), Request::Rename { from: name("a"), to: name("b") });
    // An invalid mailbox name names a mailbox that does not exist, and is not a syntax error.
    for no_name in ["&x", "\"\""] {
        assert_eq!(request(&format!("a SELECT {no_name}")), Request::Select(MailboxArgument::Invalid));
    }
    assert_eq!(error_position("a SELECT ("), 9);
}

#[test]
fn a_mailbox_may_be_created_with_a_special_use() {
    assert_eq!(request("a CREATE a/"), Request::Create(Create { mailbox: name("a"), uses: vec![] }));
    let uses = vec![SpecialUse::Sent, SpecialUse::Drafts];
    assert_eq!(
        request("a CREATE a (USE (\\sent \\Drafts))"),
        Request::Create(Create { mailbox: name("a"), uses })
    );
    assert_eq!(error_position("a CREATE a (USE (\\Odd))"), 17);
    assert_eq!(error_position("a CREATE a (ODD ())"), 12);
}

#[test]
fn lists_have_a_reference_and_a_pattern() {
    match request("a LIST \"\" Work/%") {
        Request::List(list) => {
            assert_eq!(list.reference.as_str(), "");
            assert_eq!(list.patterns[0].as_str(), "Work/%");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(request("a LSUB Work \"*\""), Request::Lsub(_)));
    assert_eq!(error_position("a LIST \"\""), 9);
}

#[test]
fn status_items_are_kept_once_each() {
    let items = vec![StatusItem::Unseen, StatusItem::Messages];
    assert_eq!(
        request("a STATUS b (unseen MESSAGES UNSEEN)"),
        Request::Status(Status { mailbox: name("b"), items })
    );
    assert_eq!(error_position("a STATUS b ()"), 12);
    assert_eq!(error_position("a STATUS b (ODD)"), 12);
}

use super::status::StatusItem;

#[test]
fn flags_are_stored_in_three_ways_with_and_without_parentheses() {
    use store::{StoreAction, StoreResponse};
    let table = [
        ("FLAGS (\\Seen \\Draft)", StoreAction::Replace, StoreResponse::Flags),
        ("+flags \\Seen \\Draft", StoreAction::Add, StoreResponse::Flags),
        ("-FLAGS.SILENT (\\Seen \\Draft)", StoreAction::Remove, StoreResponse::Silent),
    ];
    for (text, action, answer) in table {
        match request(&format!("a STORE 1:3 {text}")) {
            Request::Store(store) => {
                assert_eq!((store.action, store.response), (action, answer));
                assert_eq!(store.flags, [Flag::Seen, Flag::Draft]);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(request("a STORE 1 FLAGS ()"), Request::Store(store) if store.flags.is_empty()));
    assert_eq!(error_position("a STORE 1 FLAGS"), 15);
    assert_eq!(error_position("a STORE 1 *FLAGS ()"), 10);
}

#[test]
fn uid_is_a_prefix_of_some_commands_only() {
    let naming = |request| match request {
        Request::Copy(transfer) | Request::Move(transfer) => transfer.messages.naming,
        other => panic!("{other:?}"),
    };
    assert_eq!(naming(request("a UID COPY 1 b")), Naming::Uid);
    assert_eq!(naming(request("a UID MOVE 1 b")), Naming::Uid);
    assert_eq!(naming(request("a MOVE 1 b")), Naming::Number);
    assert!(matches!(request("a UID EXPUNGE 1:*"), Request::UidExpunge(_)));
    assert!(matches!(request("a UID SEARCH ALL"), Request::Search(Search { naming: Naming::Uid, .. })));
    assert!(matches!(request("a UID STORE 1 FLAGS ()"), Request::Store(_)));
    assert_eq!(error_position("a UID NOOP"), 6);
}

#[test]
fn an_id_may_have_up_to_thirty_pairs() {
    assert_eq!(request("a ID NIL"), Request::Id);
    assert_eq!(request("a ID ()"), Request::Id);
    assert_eq!(request("a ID (\"name\" \"x\" \"version\" NIL)"), Request::Id);
    assert_eq!(error_position("a ID (\"name\")"), 12);
    assert!(parse(format!("a ID ({}\"n\" NIL)", "\"n\" NIL ".repeat(30)).as_bytes()).is_err());
}

#[test]
fn extensions_are_enabled_by_name() {
    let names = vec!["CONDSTORE".to_owned(), "X-GOOD".to_owned()];
    assert_eq!(request("a ENABLE condstore X-good"), Request::Enable(names));
    assert_eq!(error_position("a ENABLE"), 8);
}

#[test]
fn a_login_accepts_any_strings() {
    match request("a LOGIN ann@example.org \"correct horse\"") {
        Request::Login(login) => {
            assert_eq!(login.user, b"ann@example.org");
            assert_eq!(login.password, b"correct horse");
            assert!(!format!("{login:?}").contains("horse"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_syntax_error_has_the_tag_and_its_position() {
    assert_eq!(error_position("a"), 1);
    assert_eq!(error_position("a "), 2);
    assert_eq!(error_position("a ODD"), 2);
    assert_eq!(error_position("a APPEND INBOX"), 14);
    assert_eq!(error_position("a APPEND INBOX x"), 15);
    assert_eq!(error_position("a NO\0OP"), 2);
    assert_eq!(error_position("a NOOP\0"), 6);
    assert_eq!(parse(b"a ODD").unwrap_err().tag.unwrap().as_str(), "a");
    for text in [
        "",
        " NOOP",
        "+ NOOP",
        "\0 NOOP",
        "* OK",
        "a+b NOOP",
        "a% NOOP",
        "a\\ NOOP",
        "a\tNOOP",
        "é NOOP",
        "a{1} NOOP",
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().tag, None, "{text:?}");
    }
    assert!(parse(&[b'a'; 1000]).is_err());
}

proptest! {
    #[test]
    fn no_octets_panic_the_parser(octets: Vec<u8>) {
        let _ = parse(&octets);
        let _ = append::parse_header(&octets);
    }

    #[test]
    fn no_arguments_panic_the_parser(verb in 0_usize..9, rest in "[ -~]{0,60}") {
        let verbs = ["FETCH 1", "SEARCH", "STORE 1", "LIST", "STATUS", "ID", "APPEND", "CREATE", "UID COPY"];
        let _ = parse(format!("a {} {rest}", verbs[verb]).as_bytes());
    }
}
