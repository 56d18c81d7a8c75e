//! Hostile values of fields and arguments: the pieces that parsers look ahead for, open or closed, many times.

/// Pieces to be repeated. Those with `#` are numbered.
pub(crate) const PIECES: [&str; 52] = [
    "a",
    " ",
    "\t",
    "\r\n ",
    "\n ",
    "\0",
    "é",
    "1",
    "(",
    ")",
    "()",
    "(a)",
    "(\\",
    "((a)",
    "<",
    ">",
    "<>",
    "<a@b>",
    "a@b,",
    "a,",
    "a b ",
    ",",
    ";",
    ":",
    "a:;",
    "a:",
    "@",
    "@(c)",
    "@a,",
    "a@[",
    "[",
    "]",
    "\"",
    "\"\"",
    "\\",
    "\"\\\"",
    "=",
    "=?",
    "=?x?Q?a ",
    "=?x?Q?a?=",
    "=?utf-8?B?YQ==?= ",
    "=?a?Q?b?= =?c?Q?d?= ",
    "=?utf-7?Q?+AGE-?=",
    "=?iso-2022-jp?B?GyRC?=",
    "%41",
    "&",
    "&-",
    ".",
    "?",
    "*",
    "x*#=a;",
    "x#=a;",
];

/// Those for functions that look at each octet for itself.
pub(crate) const PLAIN_PIECES: [&str; 9] = ["a", " ", "\r\n ", "\0", "é", "(", "\"", "&", "&AOk-"];

/// The value of a size that a piece makes.
pub(crate) fn value(piece: &str, size: usize) -> Vec<u8> {
    if piece.contains('#') { super::count(piece, size) } else { super::fill(piece.as_bytes(), size) }
}
