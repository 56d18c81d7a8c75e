//! Hostile values of fields and arguments: tokens for which parsers look ahead, open or closed, many times.

/// Pieces to be repeated. In those with `#` it is replaced by a number.
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

/// Pieces for functions that examine each octet separately.
pub(crate) const PLAIN_PIECES: [&str; 9] = ["a", " ", "\r\n ", "\0", "é", "(", "\"", "&", "&AOk-"];

/// A value of a size, made of a piece.
pub(crate) fn value(piece: &str, size: usize) -> Vec<u8> {
    if piece.contains('#') { super::count(piece, size) } else { super::fill(piece.as_bytes(), size) }
}
