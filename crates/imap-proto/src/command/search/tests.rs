use super::*;

fn search(text: &str) -> Result<Search, SyntaxError> {
    let line = format!(" {text}");
    let mut cursor = Cursor::new(line.as_bytes());
    match parse(&mut cursor, Naming::Number)? {
        Request::Search(search) => cursor.end().map(|()| search),
        other => panic!("{other:?}"),
    }
}

fn keys(text: &str) -> Vec<SearchKey> {
    search(text).unwrap().keys
}

fn key(text: &str) -> SearchKey {
    let [key] = <[SearchKey; 1]>::try_from(keys(text)).unwrap();
    key
}

fn header(field: &str, text: &str) -> SearchKey {
    SearchKey::Header { field: field.as_bytes().to_vec(), text: text.as_bytes().to_vec() }
}

/// The examples of RFC 3501 §6.4.4.
#[test]
fn the_examples_of_the_standard_are_parsed() {
    let expected = [
        SearchKey::With(Flag::Flagged),
        SearchKey::Since(Date::new(1994, 2, 1).unwrap()),
        header("FROM", "Smith"),
        SearchKey::Not,
        SearchKey::And(3),
    ];
    assert_eq!(keys("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""), expected);
    assert_eq!(key("TEXT \"string not in mailbox\""), SearchKey::Text(b"string not in mailbox".to_vec()));
    let read = search("CHARSET UTF-8 TEXT {6}\r\nXXXXXX").unwrap();
    assert_eq!(read.charset, Some(b"UTF-8".to_vec()));
}

#[test]
fn every_operator_comes_after_its_operands() {
    use SearchKey::{All, And, Larger, New, Not, Old, Or, Recent};
    for (text, expected) in [
        ("or (all new) not larger 5", vec![All, New, And(2), Larger(5), Not, Or]),
        ("all or new old", vec![All, New, Old, Or, And(2)]),
        ("or or all new or old recent all", vec![All, New, Or, Old, Recent, Or, Or, All, And(2)]),
        ("((all)) (new (old))", vec![All, New, Old, And(2), And(2)]),
        ("not not all", vec![All, Not, Not]),
    ] {
        assert_eq!(keys(text), expected, "{text}");
    }
}

#[test]
fn every_flag_has_its_two_keys() {
    for (name, flag) in [
        ("ANSWERED", Flag::Answered),
        ("DELETED", Flag::Deleted),
        ("DRAFT", Flag::Draft),
        ("FLAGGED", Flag::Flagged),
        ("SEEN", Flag::Seen),
        ("KEYWORD $Work", Flag::Keyword(Keyword::new(b"$Work").unwrap())),
    ] {
        assert_eq!(key(name), SearchKey::With(flag.clone()));
        assert_eq!(key(&format!("UN{name}")), SearchKey::Without(flag));
    }
}

#[test]
fn sets_headers_and_dates() {
    assert!(matches!(key("2:4,*"), SearchKey::Numbers(_)));
    assert!(matches!(key("UID 2:4"), SearchKey::Uids(_)));
    assert_eq!(key("HEADER Message-ID \"\""), header("Message-ID", ""));
    for name in ["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"] {
        assert!(search(&format!("{name} 1-Jan-2024")).is_ok(), "{name}");
    }
    assert_eq!(key("SUBJECT Grüße"), header("SUBJECT", "Grüße"));
}

#[test]
fn a_syntax_error_has_its_position() {
    for (text, at) in
        [("ODD", 1), ("OR ALL", 7), ("()", 2), ("(ALL", 5), ("NOT", 4), ("LARGER x", 8), ("ALL ", 5)]
    {
        assert_eq!(search(text).unwrap_err().at, at, "{text}");
    }
}

#[test]
fn keys_may_nest_up_to_the_limit_of_their_number() {
    let half = MAX_KEYS / 2;
    assert!(search(&format!("{}ALL{}", "(".repeat(MAX_KEYS - 1), ")".repeat(MAX_KEYS - 1))).is_ok());
    assert!(search(&format!("{}ALL", "(".repeat(MAX_KEYS))).is_err());
    assert!(search(&format!("{}ALL", "NOT ".repeat(MAX_KEYS - 1))).is_ok());
    assert!(search(&format!("{}ALL", "NOT ".repeat(100_000))).is_err());
    assert!(search(&format!("{}ALL", "OR ALL ".repeat(half - 1))).is_ok());
    assert!(search(&format!("{}ALL{}", "OR ".repeat(half - 1), " ALL".repeat(half - 1))).is_ok());
    assert!(search(&format!("{}ALL", "OR ALL ".repeat(100_000))).is_err());
}

#[test]
fn a_hundred_senders_are_one_search() {
    let mut text: String = (0..99).map(|number| format!("OR FROM a{number}@example.org ")).collect();
    text.push_str("FROM a99@example.org");
    let read = keys(&text);
    assert_eq!(read.iter().filter(|key| **key == SearchKey::Or).count(), 99);
    assert_eq!(read.len(), 199);
}
