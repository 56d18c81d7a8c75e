use proptest::prelude::*;

use super::*;

/// One line per mailbox, `name|route|local|domain`; groups as `name:` … `;`.
fn shown(value: &str) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let mailbox = |mailbox: &Mailbox| {
        let optional = |value: &Option<Vec<u8>>| value.as_deref().map_or("-".to_owned(), text);
        format!(
            "{}|{}|{}|{}",
            optional(&mailbox.name),
            optional(&mailbox.route),
            text(&mailbox.local),
            text(&mailbox.domain)
        )
    };
    let mut lines = Vec::new();
    for entry in &AddressList::parse(value.as_bytes()).entries {
        match entry {
            AddressEntry::Mailbox(one) => lines.push(mailbox(one)),
            AddressEntry::Group { name, members } => {
                lines.push(format!("{}:", text(name)));
                lines.extend(members.iter().map(mailbox));
                lines.push(";".to_owned());
            }
        }
    }
    lines
}

#[test]
fn the_examples_of_rfc_5322_are_read() {
    for (value, expected) in [
        // appendix A.1.1
        ("John Doe <jdoe@machine.example>", &["John Doe|-|jdoe|machine.example"][..]),
        // appendix A.1.2
        ("\"Joe Q. Public\" <john.q.public@example.com>", &["Joe Q. Public|-|john.q.public|example.com"]),
        (
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            &["Mary Smith|-|mary|x.test", "-|-|jdoe|example.org", "Who?|-|one|y.test"],
        ),
        (
            "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            &["-|-|boss|nil.test", "Giant; \"Big\" Box|-|sysservices|example.net"],
        ),
        // appendix A.1.3
        (
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            &["A Group:", "Ed Jones|-|c|a.test", "-|-|joe|where.test", "John|-|jdoe|one.test", ";"],
        ),
        ("Undisclosed recipients:;", &["Undisclosed recipients:", ";"]),
        // appendix A.5
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", &["Pete|-|pete|silly.test"]),
        (
            "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         \
             joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
            &[
                "A Group:",
                "Chris Jones|-|c|public.example",
                "-|-|joe|example.org",
                "John|-|jdoe|one.test",
                ";",
            ],
        ),
        ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", &["Hidden recipients:", ";"]),
        // appendix A.6.1
        ("Joe Q. Public <john.q.public@example.com>", &["Joe Q. Public|-|john.q.public|example.com"]),
        (
            "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            &["Mary Smith|@node.test|mary|example.net", "-|-|jdoe|test.example"],
        ),
    ] {
        assert_eq!(shown(value), expected, "{value}");
    }
}

#[test]
fn words_without_an_address_keep_their_spaces() {
    for (value, expected) in [
        ("Someone Else", &["-|-|Someone Else|"][..]),
        ("\"Someone  Else\"", &["-|-|Someone  Else|"]),
        ("ann", &["-|-|ann|"]),
        (
            "Mail  Delivery\r\n Subsystem, ann@example.org",
            &["-|-|Mail Delivery Subsystem|", "-|-|ann|example.org"],
        ),
    ] {
        assert_eq!(shown(value), expected, "{value}");
    }
}

#[test]
fn a_comment_is_the_name_when_there_is_no_other() {
    for (value, expected) in [
        ("ann@example.org (Ann Author)", "Ann Author|-|ann|example.org"),
        ("<ann@example.org> (Ann \\(A.\\))", "Ann (A.)|-|ann|example.org"),
        ("Ann <ann@example.org> (not this)", "Ann|-|ann|example.org"),
    ] {
        assert_eq!(shown(value), [expected], "{value}");
    }
}

#[test]
fn malformed_lists_are_read_as_far_as_possible() {
    for (value, expected) in [
        ("ann@example.org <ann@example.org>", &["ann@example.org|-|ann|example.org"][..]),
        ("a@b <c@d>", &["a@b|-|c|d"]),
        ("ann", &["-|-|ann|"]),
        ("Ann Author", &["-|-|Ann Author|"]),
        ("<ann>", &["-|-|ann|"]),
        ("<@example.org>", &["-|-||example.org"]),
        ("Ann <ann@example.org", &["Ann|-|ann|example.org"]),
        ("\"Ann <ann@example.org>", &["-|-|Ann <ann@example.org>|"]),
        ("a@b@c.example", &["-|-|a|b"]),
        (";,;,a@b;", &["-|-|a|b"]),
        ("Team: a@b", &["Team:", "-|-|a|b", ";"]),
        ("A: B: c@d;", &["A:", "-|-|c|d", ";"]),
        ("=?utf-8?Q?J=C3=BCrgen?= <j@x.example>", &["=?utf-8?Q?J=C3=BCrgen?=|-|j|x.example"]),
        ("Jürgen <j@bücher.example>", &["Jürgen|-|j|bücher.example"]),
        ("\"a b\"@x.example", &["-|-|a b|x.example"]),
        ("\"\"@x.example", &["-|-||x.example"]),
        ("ann@[192.0.2.1]", &["-|-|ann|[192.0.2.1]"]),
        ("<>", &["-|-||"]),
        ("", &[]),
        (" \r\n ,", &[]),
    ] {
        assert_eq!(shown(value), expected, "{value}");
    }
}

#[test]
fn a_mailbox_becomes_an_address_when_it_is_one() {
    let address = |value: &str| {
        AddressList::parse(value.as_bytes())
            .mailboxes()
            .next()
            .and_then(Mailbox::address)
            .map(|a| a.to_string())
    };
    assert_eq!(address("Ann <Ann@Example.ORG>").as_deref(), Some("Ann@example.org"));
    assert_eq!(address("\"a \\\"b\"@x.example").as_deref(), Some("\"a \\\"b\"@x.example"));
    assert_eq!(address("ann"), None);
}

#[test]
fn text_that_is_in_no_entry_makes_a_list_lossy() {
    for (value, lossy) in [
        ("Ann <a@x.example>, \"B, C\" <b@x.example>, Team: c@x.example;", false),
        ("", false),
        ("Ann (at work) <a@x.example>", true),
        ("Ann Author", true),
        ("<@y.example:a@x.example>", true),
    ] {
        assert_eq!(AddressList::parse(value.as_bytes()).is_lossy, lossy, "{value}");
    }
}

#[test]
fn the_number_of_mailboxes_is_limited() {
    let many = "a@b,".repeat(MAX_MAILBOXES + 10);
    assert_eq!(AddressList::parse(many.as_bytes()).mailboxes().count(), MAX_MAILBOXES);
    let nested = "(".repeat(100_000);
    assert!(AddressList::parse(nested.as_bytes()).is_empty());
}

proptest! {
    #[test]
    fn any_octets_are_read(value in proptest::collection::vec(
        prop_oneof![
            proptest::sample::select(b"\"\\()<>@,;:[]. \r\n\0a".to_vec()),
            any::<u8>()
        ], 0..200))
    {
        let list = AddressList::parse(&value);
        for mailbox in list.mailboxes() {
            let values = [&mailbox.local, &mailbox.domain];
            prop_assert!(values.iter().all(|value| !value.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n'))));
        }
    }
}
