//! The certificates that the daemons may serve: the one on disk, and for a while after a swap the previous one.

use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;

/// The time in which a daemon must serve the new certificate; it is notified within seconds. One that keeps the old
/// certificate for longer is reported.
const GRACE: Duration = Duration::from_secs(90);

/// The certificates seen on disk.
#[derive(Debug, Default)]
pub(super) struct ServedCertificates {
    current: Option<CertificateDer<'static>>,
    /// The previous certificate, and the time until which it may be served.
    before: Option<(CertificateDer<'static>, Instant)>,
}

impl ServedCertificates {
    /// The certificates that may be served at `now`, given the one on disk.
    pub(super) fn now(
        &mut self,
        leaf: CertificateDer<'static>,
        now: Instant,
    ) -> Vec<&CertificateDer<'static>> {
        let is_other = self.current.as_ref() != Some(&leaf);
        if let Some(current) = self.current.take_if(|_| is_other) {
            self.before = Some((current, now + GRACE));
        }
        self.current = Some(leaf);
        self.before.take_if(|(_, until)| *until <= now);
        self.current.iter().chain(self.before.as_ref().map(|(before, _)| before)).collect()
    }

    /// Returns true while the previous certificate may be served.
    pub(super) fn is_being_swapped(&self, now: Instant) -> bool {
        self.before.as_ref().is_some_and(|(_, until)| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_previous_certificate_is_accepted_for_a_while_after_a_swap() {
        let [one, two, three] = [1, 2, 3].map(|octet| CertificateDer::from(vec![octet]));
        let mut shown = ServedCertificates::default();
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(shown.now(one.clone(), start), [&one]);
        assert!(!shown.is_being_swapped(start), "the first certificate replaces none");
        assert_eq!(shown.now(two.clone(), later(300)), [&two, &one]);
        assert!(shown.is_being_swapped(later(330)));
        assert_eq!(shown.now(two.clone(), later(330)), [&two, &one]);
        assert_eq!(shown.now(two.clone(), later(400)), [&two]);
        assert!(!shown.is_being_swapped(later(400)));
        assert_eq!(shown.now(three.clone(), later(500)), [&three, &two]);
        assert_eq!(shown.now(one.clone(), later(501)), [&one, &three], "only the last previous one");
    }
}
