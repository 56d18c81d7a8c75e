use std::fs;

use serde::{Deserialize, Serialize};

/// The memory that a process uses, in octets. A page that several processes share counts for each of them with its
/// share alone (PSS of proc_pid_smaps(5)), so that the sum over all processes is their total use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Pages that it has written: private, and freed only by the process itself.
    pub anonymous: u64,
    /// The program's text and other files: the kernel reclaims these pages when it needs them.
    pub file: u64,
}

impl Memory {
    /// The memory of this process. A process can read only its own: another's needs a capability.
    pub fn of_this_process() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/smaps_rollup").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let octets = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
        };
        let anonymous = octets("Pss_Anon")?;
        Some(Self { anonymous, file: octets("Pss")?.saturating_sub(anonymous) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_split_into_anonymous_and_file() {
        let text = "555560ff5000-7fffef67a000 ---p 00000000 00:00 0    [rollup]\n\
                    Rss:                9540 kB\nPss:                3653 kB\nPss_Dirty:          1032 kB\n\
                    Pss_Anon:           1032 kB\nPss_File:           2621 kB\nPss_Shmem:             0 kB\n";
        assert_eq!(Memory::parse(text), Some(Memory { anonymous: 1032 << 10, file: 2621 << 10 }));
        for lacking in ["", "Pss: 3653 kB\n", "Pss: 3653 kB\nPss_Anon: many kB\n"] {
            assert_eq!(Memory::parse(lacking), None, "{lacking:?}");
        }
    }

    #[test]
    fn this_process_has_memory_of_both_kinds() {
        let memory = Memory::of_this_process().unwrap();
        assert!((100 << 10..1 << 40).contains(&memory.anonymous), "{memory:?}");
        assert!(memory.file > 0, "{memory:?}");
    }
}
