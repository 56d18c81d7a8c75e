use super::*;

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap()
}

fn pattern(text: &str) -> Pattern {
    Pattern::decode(text.as_bytes()).unwrap()
}

#[test]
fn inbox_is_one_in_every_case() {
    assert_eq!(name("inBox"), MailboxName::inbox());
    assert_eq!(name("inboxes").as_str(), "inboxes");
}

#[test]
fn a_name_without_content_or_with_control_characters_is_none() {
    assert_eq!(MailboxName::new(""), None);
    assert_eq!(MailboxName::new("a\nb"), None);
    assert_eq!(MailboxName::new(&"a".repeat(MAX_NAME + 1)), None);
}

#[test]
fn a_name_has_a_parent_unless_it_stands_at_the_top() {
    assert_eq!(name("a.b").parent(), Some(name("a")));
    assert_eq!(name("a").parent(), None);
}

/// RFC 3501 §6.3.8: `%` does not cross the hierarchy's separator, `*` does.
#[test]
fn wildcards_fit_as_the_standard_says() {
    let table = [
        ("*", "a.b", true),
        ("%", "a.b", false),
        ("%", "a", true),
        ("a.%", "a.b", true),
        ("a.%", "a.b.c", false),
        ("a*c", "a.b.c", true),
        ("%.%", "a.b", true),
        ("%b", "ab", true),
        ("", "a", false),
        ("inbox", "INBOX", true),
        ("INB%", "INBOX", true),
        ("Work", "work", false),
        ("a", "ab", false),
    ];
    for (text, whole, expected) in table {
        assert_eq!(pattern(text).matches(&name(whole)), expected, "{text} on {whole}");
    }
}

#[test]
fn a_reference_and_a_pattern_are_one_text() {
    assert!(pattern("%").from_reference(&pattern("Work.")).matches(&name("Work.2024")));
    assert!(pattern("box").from_reference(&pattern("in")).matches(&name("INBOX")));
}

#[test]
fn a_pattern_of_wildcards_alone_is_bounded() {
    assert_eq!(Pattern::decode("*%".repeat(MAX_WILDCARDS).as_bytes()), None);
}
