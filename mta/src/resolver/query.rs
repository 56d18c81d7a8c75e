//! One DNS query of a check, with the answer as a value.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::{Instant, timeout_at};

/// The answer to a query.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The records of the type, at least one.
    Found(Vec<RData>),
    /// The name has no record of the type.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// No answer, with the reason.
    Failed(String),
}

/// Sends a query. An answer that is not there by `end` is a failed one.
pub(crate) async fn query(resolver: &TokioResolver, name: Name, kind: RecordType, end: Instant) -> Answer {
    match timeout_at(end, resolver.lookup(name, kind)).await {
        Err(_) => Answer::Failed("no answer in time".to_owned()),
        Ok(Ok(lookup)) => {
            let of_kind = lookup.answers().iter().filter(|record| record.record_type() == kind);
            let records: Vec<RData> = of_kind.map(|record| record.data.clone()).collect();
            if records.is_empty() { Answer::NoData } else { Answer::Found(records) }
        }
        Ok(Err(NetError::Dns(DnsError::NoRecordsFound(nothing)))) => match nothing.response_code {
            ResponseCode::NoError => Answer::NoData,
            ResponseCode::NXDomain => Answer::NxDomain,
            code => Answer::Failed(code.to_string()),
        },
        Ok(Err(error)) => Answer::Failed(error.to_string()),
    }
}

/// The type of the records with addresses of this family.
pub(crate) fn address_type(ip: IpAddr) -> RecordType {
    if ip.is_ipv4() { RecordType::A } else { RecordType::AAAA }
}

impl Answer {
    /// The records; none when there are none, an error when there is no answer.
    pub(crate) fn records(self) -> Result<Vec<RData>, String> {
        match self {
            Self::Found(records) => Ok(records),
            Self::NoData | Self::NxDomain => Ok(Vec::new()),
            Self::Failed(reason) => Err(reason),
        }
    }
}

/// The texts of TXT records, the strings of each joined.
pub(crate) fn texts(records: &[RData]) -> Vec<Vec<u8>> {
    let texts = records.iter().filter_map(|data| match data {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    });
    texts.collect()
}
