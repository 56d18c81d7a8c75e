//! The kernel's route to an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The address from which this machine sends to another; `None` when it has no route there. Nothing is sent: connecting
/// a datagram socket only looks up the route.
pub(super) fn source_towards(target: SocketAddr) -> Option<IpAddr> {
    let unspecified: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    socket.connect(target).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_reaches_itself_from_the_same_address() {
        let target: SocketAddr = "127.0.0.1:25".parse().unwrap();
        assert_eq!(source_towards(target), Some(target.ip()));
    }
}
