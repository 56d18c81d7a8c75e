//! Small real programs that stand for the world in tests: a name server and a mail exchange.

pub(crate) mod names;
