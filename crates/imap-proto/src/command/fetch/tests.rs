use super::*;
use crate::command::{Command, parse as parse_command};

fn items(text: &str) -> Result<Vec<FetchItem>, SyntaxError> {
    let line = format!(" 1 {text}");
    let mut cursor = Cursor::new(line.as_bytes());
    match parse(&mut cursor, Naming::Number)? {
        Request::Fetch(fetch) => cursor.end().map(|()| fetch.items),
        other => panic!("{other:?}"),
    }
}

fn section(text: &str) -> Section {
    match items(&format!("BODY.PEEK[{text}]")).unwrap().as_slice() {
        [FetchItem::Section { section, partial: None, effect: Effect::Peeks }] => section.clone(),
        other => panic!("{other:?}"),
    }
}

fn part(numbers: &[u32]) -> Vec<NonZeroU32> {
    numbers.iter().filter_map(|number| NonZeroU32::new(*number)).collect()
}

#[test]
fn macros_are_expanded_and_stand_alone() {
    assert_eq!(items("fast").unwrap().len(), 3);
    assert_eq!(items("ALL").unwrap().last(), Some(&FetchItem::Envelope));
    assert_eq!(items("FULL").unwrap().last(), Some(&FetchItem::Body));
    assert!(items("(FLAGS FAST)").is_err());
}

#[test]
fn every_item_is_known() {
    use FetchItem::{Body, BodyStructure, Envelope, Flags, InternalDate, Uid};
    use FetchItem::{Rfc822, Rfc822Header, Rfc822Size, Rfc822Text};
    assert_eq!(
        items("(body bodystructure envelope flags internaldate uid)").unwrap(),
        [Body, BodyStructure, Envelope, Flags, InternalDate, Uid]
    );
    assert_eq!(
        items("(RFC822 RFC822.HEADER RFC822.SIZE RFC822.TEXT)").unwrap(),
        [Rfc822, Rfc822Header, Rfc822Size, Rfc822Text]
    );
}

#[test]
fn sections_name_parts_and_their_texts() {
    assert_eq!(section(""), Section::default());
    assert_eq!(section("TEXT"), Section { part: vec![], text: Some(SectionText::Text) });
    assert_eq!(section("4.2"), Section { part: part(&[4, 2]), text: None });
    assert_eq!(section("4.2.MIME"), Section { part: part(&[4, 2]), text: Some(SectionText::Mime) });
    let fields = SectionText::HeaderFields(vec![b"DATE".to_vec(), b"From".to_vec()]);
    assert_eq!(section("header.fields (DATE \"From\")"), Section { part: vec![], text: Some(fields) });
    let fields = SectionText::HeaderFieldsNot(vec![b"To".to_vec()]);
    assert_eq!(section("1.HEADER.FIELDS.NOT (To)"), Section { part: part(&[1]), text: Some(fields) });
}

#[test]
fn a_range_of_octets_follows_its_section() {
    let read = items("BODY[]<0.2048>").unwrap();
    let partial = Some(Partial { origin: 0, count: NonZeroU32::new(2048).unwrap() });
    assert_eq!(
        read,
        [FetchItem::Section { section: Section::default(), partial, effect: Effect::MarksSeen }]
    );
    assert!(read[0].marks_seen());
    assert!(items("BODY[]<0.0>").is_err());
    assert!(items("BODY[]<0>").is_err());
}

#[test]
fn a_syntax_error_has_its_position() {
    let table = [
        ("(FLAGS ODD)", 10),
        ("BODY[MIME]", 8),
        ("BODY[1.]", 10),
        ("BODY[0]", 8),
        ("BODY[1.ODD]", 10),
        ("BODY.PEEK", 12),
        ("()", 4),
        ("(FLAGS", 9),
    ];
    for (text, at) in table {
        assert_eq!(items(text).unwrap_err().at, at, "{text}");
    }
}

#[test]
fn the_items_of_one_fetch_are_bounded() {
    assert!(items(&format!("(FLAGS{})", " UID".repeat(MAX_ITEMS))).is_err());
    assert!(items(&format!("BODY[1{}]", ".1".repeat(MAX_DEPTH))).is_err());
    assert!(items(&format!("BODY[HEADER.FIELDS (a{})]", " a".repeat(MAX_FIELDS))).is_err());
}

#[test]
fn uid_fetch_names_messages_by_uid() {
    match parse_command(b"a UID FETCH 4:* (FLAGS)") {
        Ok(Command { request: Request::Fetch(fetch), .. }) => assert_eq!(fetch.messages.naming, Naming::Uid),
        other => panic!("{other:?}"),
    }
}
