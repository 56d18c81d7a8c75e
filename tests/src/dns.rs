//! The name server of the tests: a real one on loopback that answers from a table, over UDP and TCP.
//!
//! Names that are not in the table do not exist, and the server is authoritative for the root as well: a resolver that
//! queries the parents of a domain (as DMARC's tree walk does) gets an answer and not a refusal.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::test_server::{TestServer, locked};

/// The TTL of answers: zero, since tests change the table.
const LIFETIME: u32 = 0;

/// A running name server; it ends when this value is dropped.
pub struct NameServer {
    reception: TestServer,
    table: Arc<Mutex<Table>>,
    /// Stops the thread that answers over UDP.
    ending: Arc<AtomicBool>,
}

#[derive(Default)]
struct Table {
    records: HashMap<Name, Vec<RData>>,
    failures: HashMap<Name, Failure>,
}

/// A way to answer for a name other than from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// SERVFAIL, as from a server whose own servers are away.
    Fails,
    /// No answer at all.
    Stalls,
}

impl NameServer {
    /// Starts a server on a free port, with an empty table.
    pub fn start() -> Self {
        let (datagrams, connections) = both_on_one_port();
        Self::answering(datagrams, connections)
    }

    /// Starts a server on a given address, in a network of the test's own.
    pub fn start_on(address: SocketAddr) -> Self {
        let datagrams = UdpSocket::bind(address).expect("the address is free");
        let connections = TcpListener::bind(address).expect("the address is free");
        Self::answering(datagrams, connections)
    }

    fn answering(datagrams: UdpSocket, connections: TcpListener) -> Self {
        let table = Arc::new(Mutex::new(Table::default()));
        let ending = Arc::new(AtomicBool::new(false));
        thread::spawn({
            let (table, ending) = (Arc::clone(&table), Arc::clone(&ending));
            move || serve_datagrams(&datagrams, &table, &ending)
        });
        let reception = TestServer::open(connections, {
            let table = Arc::clone(&table);
            move |connection| serve_connection(connection, &table)
        });
        Self { reception, table, ending }
    }

    /// The address that it listens on, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.reception.address()
    }

    /// Adds an address record.
    pub fn host(&self, name: &str, address: IpAddr) -> &Self {
        self.add(
            name,
            match address {
                IpAddr::V4(address) => RData::A(A(address)),
                IpAddr::V6(address) => RData::AAAA(AAAA(address)),
            },
        )
    }

    /// Adds a mail exchange.
    pub fn mx(&self, name: &str, preference: u16, exchange: &str) -> &Self {
        self.add(name, RData::MX(MX::new(preference, self::name(exchange))))
    }

    /// Adds a text, cut into strings of at most 255 octets (RFC 1035 §3.3.14).
    pub fn text(&self, name: &str, text: &str) -> &Self {
        self.add(name, RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect())))
    }

    /// Adds the PTR record of an address.
    pub fn reverse(&self, address: IpAddr, name: &str) -> &Self {
        let key = Name::from(address);
        self.table().records.entry(key).or_default().push(RData::PTR(PTR(self::name(name))));
        self
    }

    /// Adds any record.
    pub fn add(&self, name: &str, data: RData) -> &Self {
        self.table().records.entry(self::name(name)).or_default().push(data);
        self
    }

    /// Removes all records of a name.
    pub fn remove(&self, name: &str) -> &Self {
        self.table().records.remove(&self::name(name));
        self
    }

    /// Answers for a name in another way than from the table; `None` uses the table again.
    pub fn set_failure(&self, name: &str, failure: Option<Failure>) -> &Self {
        let name = self::name(name);
        match failure {
            Some(failure) => self.table().failures.insert(name, failure),
            None => self.table().failures.remove(&name),
        };
        self
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        locked(&self.table)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it checks the flag.
        let _ =
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.send_to(&[], self.address()));
    }
}

/// Finds a port that is free over both TCP and UDP; a port that is free for one may be taken for the other.
pub(crate) fn both_on_one_port() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = datagrams.local_addr().expect("a bound socket has an address");
        if let Ok(connections) = TcpListener::bind(address) {
            return (datagrams, connections);
        }
    }
    panic!("no port is free for UDP and TCP at once");
}

fn name(text: &str) -> Name {
    let mut name = Name::from_str(text).unwrap_or_else(|error| panic!("{text:?} is no name: {error}"));
    name.set_fqdn(true);
    name.to_lowercase()
}

fn serve_datagrams(socket: &UdpSocket, table: &Mutex<Table>, ending: &AtomicBool) {
    let mut question = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut question) {
        if ending.load(Ordering::SeqCst) {
            return;
        }
        if let Some(answer) = answer(&question[..length], table) {
            // A client retries an answer that does not fit into one datagram over TCP (RFC 1035 §4.2.1).
            let short = answer.max_payload().max(512);
            let octets = answer.to_vec().expect("an answer can be written");
            let octets = if octets.len() > usize::from(short) {
                answer.truncate().to_vec().expect("an answer can be written")
            } else {
                octets
            };
            let _ = socket.send_to(&octets, peer);
        }
    }
}

/// Answers queries with a length prefix (RFC 1035 §4.2.2), until the peer closes.
fn serve_connection(mut connection: TcpStream, table: &Mutex<Table>) -> io::Result<()> {
    loop {
        let mut length = [0; 2];
        connection.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        connection.read_exact(&mut question)?;
        if let Some(answer) = answer(&question, table) {
            let octets = answer.to_vec().map_err(io::Error::other)?;
            let length = u16::try_from(octets.len()).map_err(io::Error::other)?;
            connection.write_all(&length.to_be_bytes())?;
            connection.write_all(&octets)?;
        }
    }
}

fn answer(question: &[u8], table: &Mutex<Table>) -> Option<Message> {
    let question = Message::from_vec(question).ok()?;
    let query = question.queries.first()?.clone();
    let key = query.name().to_lowercase();
    let table = locked(table);

    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.metadata.authoritative = true;
    answer.edns.clone_from(&question.edns);
    match (table.failures.get(&key), table.records.get(&key)) {
        (Some(Failure::Stalls), _) => return None,
        (Some(Failure::Fails), _) => answer.metadata.response_code = ResponseCode::ServFail,
        (None, Some(records)) => {
            let wanted = |data: &&RData| {
                query.query_type() == RecordType::ANY || data.record_type() == query.query_type()
            };
            for data in records.iter().filter(wanted) {
                answer.add_answer(Record::from_rdata(query.name().clone(), LIFETIME, data.clone()));
            }
        }
        // A name with others below it exists though it has no records (RFC 8020 §2); so does the root.
        (None, None) if table.records.keys().any(|other| key.zone_of(other)) => {}
        (None, None) => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer.add_query(query);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Mutex;

    use hickory_proto::op::{Message, Query, ResponseCode};
    use hickory_proto::rr::{RData, RecordType};

    use super::{Table, answer, name};

    fn query_table(table: Table, question: &str, kind: RecordType) -> Option<Message> {
        let mut query = Message::query();
        query.add_query(Query::query(name(question), kind));
        answer(&query.to_vec().unwrap(), &Mutex::new(table))
    }

    fn table() -> Table {
        let mut table = Table::default();
        table.records.insert(name("mx.example.net"), vec![RData::A(Ipv4Addr::LOCALHOST.into())]);
        table
    }

    #[test]
    fn a_name_in_the_table_is_answered_in_any_case_of_letters() {
        assert_eq!(query_table(table(), "MX.example.NET", RecordType::A).unwrap().answers.len(), 1);
    }

    #[test]
    fn a_name_with_others_below_it_exists_and_is_empty() {
        for above in ["example.net", "net", "."] {
            let answer = query_table(table(), above, RecordType::TXT).unwrap();
            assert_eq!((answer.metadata.response_code, answer.answers.len()), (ResponseCode::NoError, 0));
        }
    }

    #[test]
    fn any_other_name_does_not_exist() {
        let answer = query_table(table(), "example.com", RecordType::A).unwrap();
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    }
}
