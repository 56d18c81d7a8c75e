//! The certificates that the daemons may show: the one on disk, and for a while after a swap the one before.

use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;

/// A daemon reads the new certificate within seconds of its signal. One that goes on with the old one for longer is
/// reported.
const GRACE: Duration = Duration::from_secs(90);

/// What was seen on disk.
#[derive(Debug, Default)]
pub(super) struct Shown {
    current: Option<CertificateDer<'static>>,
    /// The one before, and until when it may be shown.
    before: Option<(CertificateDer<'static>, Instant)>,
}

impl Shown {
    /// The certificates that may be shown at that moment, when this one is on disk.
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

    /// Whether the one before may still be shown.
    pub(super) fn is_being_swapped(&self, now: Instant) -> bool {
        self.before.as_ref().is_some_and(|(_, until)| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_before_counts_for_a_while_after_a_swap_and_no_longer() {
        let [one, two, three] = [1, 2, 3].map(|octet| CertificateDer::from(vec![octet]));
        let mut shown = Shown::default();
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(shown.now(one.clone(), start), [&one]);
        assert!(!shown.is_being_swapped(start), "a first certificate takes the place of none");
        assert_eq!(shown.now(two.clone(), later(300)), [&two, &one]);
        assert!(shown.is_being_swapped(later(330)));
        assert_eq!(shown.now(two.clone(), later(330)), [&two, &one]);
        assert_eq!(shown.now(two.clone(), later(400)), [&two]);
        assert!(!shown.is_being_swapped(later(400)));
        assert_eq!(shown.now(three.clone(), later(500)), [&three, &two]);
        assert_eq!(shown.now(one.clone(), later(501)), [&one, &three], "the last one before alone");
    }
}
