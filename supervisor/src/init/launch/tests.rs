use super::*;
use clap::Parser;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    launch: Launch,
}

#[test]
fn the_launcher_reads_what_process_1_writes() {
    let owner = Owner { user: Uid::from_raw(101), group: Gid::from_raw(102) };
    let rules = Rules {
        read: vec!["/etc".into(), "/data/with space".into()],
        write: vec!["/data/queue".into()],
        connect: [25, 443].into(),
    };
    for user in [
        None,
        Some(DaemonUser { owner, group: None }),
        Some(DaemonUser { owner, group: Some(Gid::from_raw(100)) }),
    ] {
        let program = program(Role::Mta, Path::new("/run/mta.toml"), user, &rules);
        let read = CommandLine::try_parse_from(program.arguments).unwrap().launch;
        assert_eq!(read.role, ["mta", "--config", "/run/mta.toml"]);
        assert_eq!(read.user(), user);
        assert_eq!(read.rules(), rules);
    }
}
