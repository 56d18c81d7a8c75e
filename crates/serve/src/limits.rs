use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use crate::Crowd;

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A host. An IPv4 address is always held as such, also when it came in over a socket of both families.
    Tcp(SocketAddr),
    /// A process on this machine.
    Unix,
}

impl Peer {
    /// The host's address, unless it is this machine's own socket.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }

    /// The host's address; of a process on this machine, this machine's own.
    pub fn address(self) -> IpAddr {
        self.ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("local"),
        }
    }
}

/// How many connections there may be at one time, in all and from one address. Shared by all listeners that
/// draw on the same means.
#[derive(Debug)]
pub struct Limits {
    open: Mutex<Open>,
    /// Whose addresses are counted in all only.
    crowd: Crowd,
}

#[derive(Debug)]
struct Open {
    most: usize,
    most_of_one: usize,
    all: usize,
    /// Has no more entries than there are connections.
    of_one: HashMap<IpAddr, usize>,
}

/// Why a connection was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There are as many as there may be.
    Total,
    /// There are as many from this address as there may be.
    Address,
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    limits: Arc<Limits>,
    counted: Option<IpAddr>,
}

impl Limits {
    /// At most `total` connections, and at most `per_address` from one IPv4 address or one IPv6 network of 64
    /// bits, which is what one customer of a provider has. 0 is no limit.
    pub fn new(total: usize, per_address: usize) -> Arc<Self> {
        Self::among(Crowd::default(), total, per_address)
    }

    /// The same, but for addresses behind which anybody may be: they have no limit of their own.
    pub fn among(crowd: Crowd, total: usize, per_address: usize) -> Arc<Self> {
        let open = Open { most: total, most_of_one: per_address, all: 0, of_one: HashMap::new() };
        Arc::new(Self { open: Mutex::new(open), crowd })
    }

    /// Other limits from now on, after a reload. Who is connected stays.
    pub fn change(&self, total: usize, per_address: usize) {
        let mut open = self.lock();
        (open.most, open.most_of_one) = (total, per_address);
    }

    /// Addresses behind which anybody may be.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Counts one more connection, or says which limit it would pass.
    pub fn admit(self: &Arc<Self>, peer: Peer) -> Result<Permit, Refusal> {
        let mut open = self.lock();
        if open.most != 0 && open.all >= open.most {
            return Err(Refusal::Total);
        }
        let counted = peer.ip().filter(|ip| !self.crowd.holds(*ip)).map(network);
        if let Some(network) = counted {
            let most_of_one = open.most_of_one;
            let of_one = open.of_one.entry(network).or_default();
            if most_of_one != 0 && *of_one >= most_of_one {
                return Err(Refusal::Address);
            }
            *of_one += 1;
        }
        open.all += 1;
        Ok(Permit { limits: Arc::clone(self), counted })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
        open.all -= 1;
        if let Some(network) = self.counted
            && let Some(of_one) = open.of_one.get_mut(&network)
        {
            *of_one -= 1;
            if *of_one == 0 {
                open.of_one.remove(&network);
            }
        }
    }
}

/// What is counted as one address.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        SocketAddr::new(text.parse().unwrap(), 9).into()
    }

    #[test]
    fn the_total_is_kept_and_what_ends_makes_room() {
        let limits = Limits::new(2, 0);
        let first = limits.admit(peer("192.0.2.1")).unwrap();
        let _second = limits.admit(peer("192.0.2.1")).unwrap();
        assert_eq!(limits.admit(Peer::Unix).unwrap_err(), Refusal::Total);
        drop(first);
        assert!(limits.admit(Peer::Unix).is_ok());
    }

    #[test]
    fn one_address_is_an_ipv4_address_or_an_ipv6_network() {
        let limits = Limits::new(0, 1);
        let _four = limits.admit(peer("192.0.2.1")).unwrap();
        let _six = limits.admit(peer("2001:db8::1")).unwrap();
        for full in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff"] {
            assert_eq!(limits.admit(peer(full)).unwrap_err(), Refusal::Address, "{full}");
        }
        for free in ["192.0.2.2", "2001:db8:0:1::1"] {
            assert!(limits.admit(peer(free)).is_ok(), "{free}");
        }
        let _local = (limits.admit(Peer::Unix).unwrap(), limits.admit(Peer::Unix).unwrap());
    }

    #[test]
    fn nothing_is_remembered_of_who_has_left() {
        let limits = Limits::new(0, 5);
        drop((limits.admit(peer("192.0.2.1")), limits.admit(peer("192.0.2.1"))));
        assert!(limits.lock().of_one.is_empty());
        assert_eq!(limits.lock().all, 0);
    }

    #[test]
    fn changed_limits_count_for_who_comes_next() {
        let limits = Limits::new(1, 0);
        let _first = limits.admit(Peer::Unix).unwrap();
        limits.change(2, 0);
        assert!(limits.admit(Peer::Unix).is_ok());
    }
}
