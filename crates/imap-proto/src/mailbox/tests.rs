use super::*;

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap()
}

fn pattern(text: &str) -> Pattern {
    Pattern::decode(text.as_bytes()).unwrap()
}

#[test]
fn inbox_is_case_insensitive() {
    assert_eq!(name("inBox"), MailboxName::inbox());
    assert_eq!(name("inboxes").as_str(), "inboxes");
    assert_eq!(name("inBox/Kid/inbox").as_str(), "INBOX/Kid/inbox");
    assert_eq!(name("Work/inbox").as_str(), "Work/inbox");
}

#[test]
fn a_trailing_separator_is_removed() {
    assert_eq!(name("Work/"), name("Work"));
    assert_eq!(name("inbox/"), MailboxName::inbox());
    assert_eq!(name("Work//").as_str(), "Work/");
    assert_eq!(MailboxName::new("/"), None);
}

/// RFC 3501 §5.1.3: a string that is not modified UTF-7 names no mailbox, and as a pattern matches none.
#[test]
fn invalid_modified_utf7_is_an_invalid_name_and_not_a_syntax_error() {
    for text in ["R&D", "\"R&D\"", "&AGE-", "\"B\u{fc}ro\"", "B\u{fc}ro", "\"\"", "{3}\r\n\u{fc}a"] {
        let read = MailboxArgument::parse(&mut Cursor::new(text.as_bytes()));
        assert_eq!(read, Ok(MailboxArgument::Invalid), "{text}");
    }
    for text in ["R&*", "*&", "B\u{fc}ro", "&AGE-"] {
        assert!(
            !["R&D", "R&", "B\u{fc}ro", "a"].iter().any(|whole| pattern(text).matches(&name(whole))),
            "{text}"
        );
    }
    assert!(!pattern("*").with_reference(&pattern("&")).matches(&name("&")));
}

#[test]
fn empty_names_and_control_characters_are_invalid() {
    assert_eq!(MailboxName::new(""), None);
    assert_eq!(MailboxName::new("a\nb"), None);
    assert_eq!(MailboxName::new(&"a".repeat(MAX_NAME + 1)), None);
}

#[test]
fn a_name_has_a_parent_unless_it_is_at_the_top_level() {
    assert_eq!(name("a/b").parent(), Some(name("a")));
    assert_eq!(name("a").parent(), None);
}

/// RFC 3501 §6.3.8: `%` does not cross the hierarchy's separator, `*` does.
#[test]
fn wildcards_match_as_the_standard_defines() {
    let table = [
        ("*", "a/b", true),
        ("%", "a/b", false),
        ("%", "a.b", true),
        ("a/%", "a/b", true),
        ("a/%", "a/b/c", false),
        ("a*c", "a/b/c", true),
        ("%/%", "a/b", true),
        ("%b", "ab", true),
        ("", "a", false),
        ("inbox", "INBOX", true),
        ("INB%", "INBOX", true),
        ("inb%", "INBOX", true),
        ("inbox*", "INBOX/Kid", true),
        ("inbox*", "inboxes", true),
        ("Inbox/%", "INBOX/Kid", true),
        ("inbox/kid", "INBOX/Kid", false),
        ("inboxes", "INBOX", false),
        ("Work", "work", false),
        ("a", "ab", false),
    ];
    for (text, whole, expected) in table {
        assert_eq!(pattern(text).matches(&name(whole)), expected, "{text} on {whole}");
    }
}

#[test]
fn a_reference_is_prepended_to_the_pattern() {
    assert!(pattern("%").with_reference(&pattern("Work/")).matches(&name("Work/2024")));
    assert!(pattern("box").with_reference(&pattern("in")).matches(&name("INBOX")));
}

#[test]
fn the_number_of_wildcards_is_bounded() {
    assert_eq!(Pattern::decode("*%".repeat(MAX_WILDCARDS).as_bytes()), None);
}

/// Every pattern of up to five characters against every name of up to four, by the definition of RFC 3501 §6.3.8.
#[test]
fn every_short_pattern_matches_as_defined() {
    fn words(letters: &[u8], longest: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            let longer =
                |word: &Vec<u8>| letters.iter().map(|letter| [word, &[*letter][..]].concat()).collect();
            last = last.iter().flat_map(|word| -> Vec<_> { longer(word) }).collect();
            all.extend(last.clone());
        }
        all
    }
    fn defined(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((wild @ (b'*' | b'%'), rest)) => {
                let taken = |count: usize| *wild == b'*' || !name[..count].contains(&b'/');
                (0..=name.len()).any(|count| taken(count) && defined(rest, &name[count..]))
            }
            Some((letter, rest)) => name.first() == Some(letter) && defined(rest, &name[1..]),
        }
    }
    for pattern in words(b"a.*%", 5) {
        for name in words(b"ab.", 4) {
            let is_fit = matches_wildcards(&pattern, &name);
            assert_eq!(
                is_fit,
                defined(&pattern, &name),
                "{} {}",
                pattern.escape_ascii(),
                name.escape_ascii()
            );
        }
    }
}
