use aws_lc_rs::digest::digest;

use super::*;

/// The digest over which a signature of `header` is made, with `c=` and `h=` as given.
fn digest_of(header: &str, form: &str, names: &str) -> Digest {
    let signature = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; c={form}; h={names}; bh=AAAA; b=AAAA\r\n"
    );
    let octets = format!("{signature}{header}");
    let section = HeaderSection::parse(octets.as_bytes());
    let field = section.signatures().next().unwrap();
    section.digest(&field.read().unwrap())
}

/// The same digest from given octets.
fn expected(form: &str, names: &str, fields: &str) -> Digest {
    let own = match form.split('/').next() {
        Some("relaxed") => "dkim-signature:",
        _ => "DKIM-Signature: ",
    };
    let all = format!("{fields}{own}v=1; a=rsa-sha256; d=a.example; s=s; c={form}; h={names}; bh=AAAA; b=");
    digest(&SHA256, all.as_bytes())
}

fn assert_digest(header: &str, form: &str, names: &str, fields: &str) {
    let (found, expected) = (digest_of(header, form, names), expected(form, names, fields));
    assert_eq!(found.as_ref(), expected.as_ref(), "{header:?} as {form} with h={names}");
}

#[test]
fn fields_are_hashed_in_canonical_form() {
    // The header, the names, and the octets that are hashed in simple and in relaxed form.
    for (header, names, simple, relaxed) in [
        // RFC 6376 §3.4.5
        ("A: X\r\nB : Y\t\r\n\tZ  \r\n", "a:b", "A: X\r\nB : Y\t\r\n\tZ  \r\n", "a:X\r\nb:Y Z\r\n"),
        // White space before the colon is not part of the name.
        ("Subject : x\r\n", "Subject", "Subject : x\r\n", "subject:x\r\n"),
        ("Subject\t \t:x\r\n", "subject", "Subject\t \t:x\r\n", "subject:x\r\n"),
        // Folding, with and without text on the first line.
        ("A:\r\n b\r\n", "A", "A:\r\n b\r\n", "a:b\r\n"),
        ("A: b\r\n\t c\r\n  d \r\n", "A", "A: b\r\n\t c\r\n  d \r\n", "a:b c d\r\n"),
        ("A: b\r\n \r\n c\r\n", "A", "A: b\r\n \r\n c\r\n", "a:b c\r\n"),
        ("A: b \r\n\tc\r\n", "A", "A: b \r\n\tc\r\n", "a:b c\r\n"),
        // Empty values, and values of white space.
        ("A:\r\n", "A", "A:\r\n", "a:\r\n"),
        ("A: \t \r\n", "A", "A: \t \r\n", "a:\r\n"),
        ("A:\r\n \r\n", "A", "A:\r\n \r\n", "a:\r\n"),
        // Case, which is folded in names only.
        ("SUBJECT: Hi THERE\r\n", "sUbJeCt", "SUBJECT: Hi THERE\r\n", "subject:Hi THERE\r\n"),
        // Octets beyond ASCII and other control characters stay as they are.
        ("A: h\u{e9} \u{a0}x\r\n", "A", "A: h\u{e9} \u{a0}x\r\n", "a:h\u{e9} \u{a0}x\r\n"),
        ("A: b\rc\r\n", "A", "A: b\rc\r\n", "a:b\rc\r\n"),
        ("A: b:c: d\r\n", "A", "A: b:c: d\r\n", "a:b:c: d\r\n"),
        // The order is that of the names.
        ("A: 1\r\nB: 2\r\n", "b:a", "B: 2\r\nA: 1\r\n", "b:2\r\na:1\r\n"),
        // Fields of one name are used from the bottom up.
        ("A: 1\r\nB: 2\r\nA: 3\r\n", "a:a", "A: 3\r\nA: 1\r\n", "a:3\r\na:1\r\n"),
        ("A: 1\r\nA: 2\r\nA: 3\r\n", "a", "A: 3\r\n", "a:3\r\n"),
        // A name without a field left adds nothing.
        ("A: 1\r\n", "a:b:a:a:c", "A: 1\r\n", "a:1\r\n"),
        ("A: 1\r\n", "b", "", ""),
        // White space around names and names without letters.
        ("A: 1\r\nB: 2\r\n", "a : b", "A: 1\r\nB: 2\r\n", "a:1\r\nb:2\r\n"),
        // A line that is not a field is skipped, with its continuation.
        ("no field\r\n A: 0\r\nA: 1\r\n", "a", "A: 1\r\n", "a:1\r\n"),
    ] {
        for (form, fields) in [
            ("simple/simple", simple),
            ("simple/relaxed", simple),
            ("relaxed/simple", relaxed),
            ("relaxed/relaxed", relaxed),
        ] {
            assert_digest(header, form, names, fields);
        }
    }
}

#[test]
fn the_body_is_not_part_of_the_section() {
    assert_digest("A: 1\r\n\r\nA: 2\r\n", "relaxed", "a", "a:1\r\n");
}

#[test]
fn a_last_field_without_a_line_end_is_given_one() {
    assert_digest("A: 1", "simple", "a", "A: 1\r\n");
    assert_digest("A: 1", "relaxed", "a", "a:1\r\n");
}

#[test]
fn a_signature_does_not_cover_itself() {
    let other = "DKIM-Signature: v=1; other\r\n";
    for names in ["dkim-signature", "dkim-signature:dkim-signature"] {
        assert_digest(other, "simple", names, other);
        assert_digest(other, "relaxed", names, "dkim-signature:v=1; other\r\n");
    }
    assert_digest("", "simple", "dkim-signature", "");
}

#[test]
fn only_the_value_of_b_is_removed_from_a_signature() {
    let digest_of = |field: &str| {
        let octets = format!("{field}\r\nFrom: x\r\n");
        let section = HeaderSection::parse(octets.as_bytes());
        section.digest(&section.signatures().next().unwrap().read().unwrap())
    };
    for (form, from) in [("simple", "From: x\r\n"), ("relaxed", "from:x\r\n")] {
        let head = format!("v=1; a=rsa-sha256; d=a.example; s=s; c={form}; h=From");
        let name = if form == "simple" { "DKIM-Signature: " } else { "dkim-signature:" };
        for (end, hashed) in [
            // In the middle, at the end, before a semicolon, with white space around the value and in it.
            ("; b=AAAA; bh=BBBB", "; b=; bh=BBBB"),
            ("; bh=BBBB; b=AAAA", "; bh=BBBB; b="),
            ("; bh=BBBB; b=AAAA;", "; bh=BBBB; b=;"),
            ("; bh=BBBB; b= AA AA ;", "; bh=BBBB; b=;"),
            ("; bh=BBBB; b=AA\r\n\tAA\r\n\t; t=1", "; bh=BBBB; b=; t=1"),
            ("; bh=BBBB; b =AAAA; t=1", "; bh=BBBB; b =; t=1"),
            ("; bh=BBBB; b=AAAA  ", "; bh=BBBB; b="),
            // A tag whose name ends with the letter is another tag.
            ("; xb=CCCC; bh=BBBB; b=AAAA", "; xb=CCCC; bh=BBBB; b="),
        ] {
            let expected = digest(&SHA256, format!("{from}{name}{head}{hashed}").as_bytes());
            let found = digest_of(&format!("DKIM-Signature: {head}{end}"));
            assert_eq!(found.as_ref(), expected.as_ref(), "{form}: {end:?}");
        }
    }
}
