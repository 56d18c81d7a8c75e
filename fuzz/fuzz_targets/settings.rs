//! The settings that have a grammar, as typed or from files, with a NUL between two: parsed, or refused without showing
//! a secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use supervisor::settings::{HostAndPort, Settings, lines};

/// The settings from the input: one that may be given as a file is given so when its value is in the input.
const NAMES: [(&str, Option<&str>); 8] = [
    ("MAIL_USERS", Some("MAIL_USERS_FILE")),
    ("MAIL_ALIASES", Some("MAIL_ALIASES_FILE")),
    ("MAIL_RELAY_URL", Some("MAIL_RELAY_URL_FILE")),
    ("MAIL_QUOTA", None),
    ("MAIL_MESSAGE_SIZE", None),
    ("MAIL_DNS_SERVERS", None),
    ("MAIL_DNS_UPDATE_KEY", Some("MAIL_DNS_UPDATE_KEY_FILE")),
    ("MAIL_CHECK_SMTP_HOST", None),
];
/// The secret in the seeds.
const SECRET: &str = "swordfish";

fuzz_target!(|text: &str| {
    let (are_files, text) = text.strip_prefix('f').map_or((false, text), |rest| (true, rest));
    let values: Vec<&str> = text.split('\0').collect();
    let mut environment = vec![
        ("MAIL_DOMAIN".into(), "example.org".into()),
        ("MAIL_DNS_UPDATE_SERVER".into(), "192.0.2.53".into()),
    ];
    for (at, ((name, file), value)) in NAMES.iter().zip(&values).enumerate() {
        environment.push(match file {
            Some(file) if are_files => ((*file).into(), at.to_string().into()),
            _ => ((*name).into(), (*value).into()),
        });
    }
    let read_file = |path: &std::path::Path| {
        let at: usize = path.to_str().and_then(|path| path.parse().ok()).expect("a number was given");
        Ok(values[at].to_owned())
    };
    match Settings::read_with(environment.into_iter(), None, &read_file) {
        Ok(settings) => {
            lines::lines(&settings);
            assert!(settings.users.iter().all(|user| settings.domains.contains(user.user.domain())));
            assert!(settings.aliases.iter().all(|alias| !alias.targets.is_empty()));
            if let Some(relay) = &settings.relay {
                let again = HostAndPort::parse(&relay.to_string()).expect("it is written as it is read");
                assert_eq!((&again.host, again.port), (&relay.host, relay.port));
            }
        }
        Err(faults) => {
            assert!(!faults.0.is_empty());
            for fault in faults.0.iter().filter(|fault| fault.variable.contains("RELAY")) {
                assert!(!fault.wrong.contains(SECRET), "{fault}");
            }
        }
    }
});
