//! Limits on simultaneous connections.

use std::sync::Arc;

use handover::config::{Login, MtaLimits};
use serve::{Crowd, Limits, Patience};

use crate::inbound::ServiceKind;

/// Connection limits for peers and for users, counted separately: connections that fill port 25 keep no user from
/// sending, and a user's runaway client keeps no mail from coming in.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    peers: Arc<Limits>,
    users: Arc<Limits>,
    crowd: Crowd,
}

impl Admission {
    pub(crate) fn new(limits: &MtaLimits, login: &Login) -> Self {
        let crowd = Crowd::new(&login.anybody);
        let counted = || Limits::among(crowd.clone(), limits.connections, limits.connections_per_address);
        let admission = Self { peers: counted(), users: counted(), crowd };
        admission.set_patience(limits);
        admission
    }

    fn set_patience(&self, limits: &MtaLimits) {
        self.peers.set_patience(Patience::with_hosts(&limits.patience));
        self.users.set_patience(Patience::with_users(&limits.patience));
    }

    /// The addresses that many clients share, which therefore identify no client.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// The limits of a service. Both submission services share one count.
    pub(crate) fn at(&self, service: ServiceKind) -> Arc<Limits> {
        match service {
            ServiceKind::Smtp => self.peers.clone(),
            ServiceKind::Submission | ServiceKind::Submissions => self.users.clone(),
        }
    }

    /// Replaces the limits.
    pub(crate) fn change(&self, limits: &MtaLimits, login: &Login) {
        self.crowd.change(&login.anybody);
        for counted in [&self.peers, &self.users] {
            counted.change(limits.connections, limits.connections_per_address);
        }
        self.set_patience(limits);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use serve::Refusal;

    use super::*;

    #[test]
    fn peers_that_fill_port_25_do_not_keep_users_out() {
        let mut limits = MtaLimits { connections: 1, connections_per_address: 1, ..MtaLimits::default() };
        let admission = Admission::new(&limits, &Login::default());
        let peer = SocketAddr::from(([192, 0, 2, 1], 1)).into();
        let _peer = admission.at(ServiceKind::Smtp).admit(peer).unwrap();
        assert_eq!(admission.at(ServiceKind::Smtp).admit(peer).unwrap_err(), Refusal::Total);
        let _user = admission.at(ServiceKind::Submission).admit(peer).unwrap();
        assert_eq!(admission.at(ServiceKind::Submissions).admit(peer).unwrap_err(), Refusal::Total);
        (limits.connections, limits.connections_per_address) = (2, 2);
        admission.change(&limits, &Login::default());
        let _another = admission.at(ServiceKind::Submissions).admit(peer).unwrap();
        let _another = admission.at(ServiceKind::Smtp).admit(peer).unwrap();
    }
}
