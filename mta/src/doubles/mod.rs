//! Small real programs that stand in for other hosts in tests: a name server, a mail exchange, a mail store.

mod certificates;
pub(crate) mod exchange;
pub(crate) mod name_server;
pub(crate) mod store;
