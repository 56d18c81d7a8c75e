//! Alone in its process, since signals belong to the process.

use nix::sys::signal::{Signal, raise};
use serve::{Event, Signals};

#[test]
fn signals_become_events_and_end_nothing() {
    serve::runtime("test").unwrap().block_on(async {
        let mut signals = Signals::new().unwrap();
        for (signal, event) in [
            (Signal::SIGHUP, Event::Reload),
            (Signal::SIGUSR1, Event::Accounts),
            (Signal::SIGTERM, Event::Stop),
            (Signal::SIGINT, Event::Stop),
            (Signal::SIGHUP, Event::Reload),
        ] {
            raise(signal).unwrap();
            assert_eq!(signals.next().await, event, "{signal}");
        }
        raise(Signal::SIGTERM).unwrap();
        signals.stop().await;
    });
}
