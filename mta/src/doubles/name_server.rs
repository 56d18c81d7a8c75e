//! A name server that answers from a table.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use handover::config::Dns;
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, MX, PTR, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::resolver::Resolver;

/// A table of records. A name that is not in the table does not exist.
#[derive(Clone, Default)]
pub(crate) struct NameServer {
    records: Vec<(Name, RData)>,
    broken: BTreeSet<Name>,
    /// The authority of negative answers.
    authority: Option<Record>,
    queries: Arc<watch::Sender<Vec<(Name, RecordType)>>>,
    silent: bool,
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap()
}

impl NameServer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn with(mut self, owner: &str, data: RData) -> Self {
        self.records.push((name(owner), data));
        self
    }

    pub(crate) fn txt(self, owner: &str, text: &str) -> Self {
        // A string of the record has 255 octets at most.
        let strings = text.as_bytes().chunks(255).map(|part| String::from_utf8(part.to_vec()).unwrap());
        self.with(owner, RData::TXT(TXT::new(strings.collect())))
    }

    pub(crate) fn address(self, owner: &str, address: IpAddr) -> Self {
        let data = match address {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        };
        self.with(owner, data)
    }

    pub(crate) fn mx(self, owner: &str, preference: u16, exchange: &str) -> Self {
        let exchange = if exchange == "." { Name::root() } else { name(exchange) };
        self.with(owner, RData::MX(MX::new(preference, exchange)))
    }

    pub(crate) fn ptr(self, address: impl Into<IpAddr>, host: &str) -> Self {
        self.with(&Name::from(address.into()).to_ascii(), RData::PTR(PTR(name(host))))
    }

    /// Negative answers carry the SOA record of a zone with these values (RFC 2308 §3).
    pub(crate) fn authority(mut self, zone: &str, ttl: u32, minimum: u32) -> Self {
        let soa = SOA::new(name(zone), name("hostmaster.example"), 1, 3600, 600, 86_400, minimum);
        self.authority = Some(Record::from_rdata(name(zone), ttl, RData::SOA(soa)));
        self
    }

    /// The queries that the server receives.
    pub(crate) fn queries(&self) -> watch::Receiver<Vec<(Name, RecordType)>> {
        self.queries.subscribe()
    }

    /// Makes every query for this name fail.
    pub(crate) fn server_failure(mut self, owner: &str) -> Self {
        self.broken.insert(name(owner));
        self
    }

    /// A server that never answers.
    pub(crate) fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// Starts the server; it ends with the test's runtime.
    pub(crate) async fn serve(self) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let Ok(request) = Message::from_vec(&buffer[..length]) else { continue };
                if !self.silent {
                    let response = self.response(&request).to_vec().unwrap();
                    let _ = socket.send_to(&response, peer).await;
                }
            }
        });
        address
    }

    /// Starts the server and a resolver that uses it.
    pub(crate) async fn resolver(self, budget_ms: u64) -> Resolver {
        Resolver::new(&Dns { servers: vec![self.serve().await], budget_ms }).unwrap()
    }

    fn response(&self, request: &Message) -> Message {
        let mut response = Message::new(request.metadata.id, MessageType::Response, OpCode::Query);
        response.metadata.recursion_desired = true;
        response.metadata.recursion_available = true;
        response.add_queries(request.queries.clone());
        for query in &request.queries {
            let queried = Name::from_ascii(query.name().to_ascii().to_lowercase()).unwrap();
            self.queries.send_modify(|queries| queries.push((queried.clone(), query.query_type())));
            if self.broken.contains(&queried) {
                response.metadata.response_code = ResponseCode::ServFail;
                continue;
            }
            let of_name: Vec<_> = self.records.iter().filter(|(owner, _)| *owner == queried).collect();
            // A name above one that exists, exists (RFC 8020).
            if !self.records.iter().any(|(owner, _)| queried.zone_of(owner)) {
                response.metadata.response_code = ResponseCode::NXDomain;
            }
            let is_of_type = |data: &RData| {
                data.record_type() == query.query_type() || query.query_type() == RecordType::ANY
            };
            for (owner, data) in of_name {
                if is_of_type(data) {
                    response.add_answer(Record::from_rdata(owner.clone(), 60, data.clone()));
                }
            }
            if let (true, Some(authority)) = (response.answers.is_empty(), &self.authority) {
                response.add_authority(authority.clone());
            }
        }
        response
    }
}
