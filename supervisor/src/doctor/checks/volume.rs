use super::super::finding::{Finding, FindingId};
use super::Case;

/// With less free space, the next large messages are refused: two or three copies of each exist for a moment.
const TOO_LITTLE: u64 = 256 << 20;
/// With less free space, the operator has days to act at most.
const LITTLE: u64 = 1 << 30;

/// With fewer free inodes, deliveries fail within the hour: each message needs two or three for a moment.
const TOO_FEW_FILES: u64 = 1000;
/// The fraction of all inodes below which the operator has days to act at most.
const FEW_FILES: u64 = 50;

/// Checks the free space.
pub(super) fn space(case: &Case<'_>) -> Vec<Finding> {
    const FIX: &str = "delete files on the machine, or enlarge the disk";
    match &case.observed.machine.free {
        None => Vec::new(),
        Some(Err(why)) => vec![Finding::error(
            FindingId::VolumeUnusable,
            format!("the volume {} cannot be accessed: {why}", case.facts.presence.volume.display()),
            "check that it is mounted",
        )],
        Some(Ok(free)) => {
            let cause = format!("{} MiB are free on the volume", free >> 20);
            if let Some(finding) = files(case) {
                return vec![finding];
            }
            if *free < TOO_LITTLE {
                vec![Finding::error(FindingId::SpaceLow, cause, FIX)]
            } else if *free < LITTLE {
                vec![Finding::warning(FindingId::SpaceLow, cause, FIX)]
            } else {
                Vec::new()
            }
        }
    }
}

/// Checks the free inodes: each message is a file, and some file systems have a fixed number of them.
fn files(case: &Case<'_>) -> Option<Finding> {
    let (free, all) = case.observed.machine.files?;
    let cause = format!("the volume has {free} free inodes of {all}, one for each file");
    let fix = format!(
        "find the folder with the most files, and delete what is not needed: du --inodes -d 3 -x {} | sort -n | \
         tail\na file system made with more inodes (mkfs.ext4 -N) holds more",
        case.facts.presence.volume.display()
    );
    match free {
        free if free < TOO_FEW_FILES => Some(Finding::error(FindingId::InodesLow, cause, fix)),
        free if free < all / FEW_FILES => Some(Finding::warning(FindingId::InodesLow, cause, fix)),
        _ => None,
    }
}

/// Checks the owner and the permissions of each folder.
pub(super) fn rights(case: &Case<'_>) -> Vec<Finding> {
    let machine = &case.observed.machine;
    let mut findings = Vec::new();
    if machine.is_read_only {
        findings.push(Finding::error(
            FindingId::VolumeUnusable,
            format!("the volume {} is mounted read-only", case.facts.presence.volume.display()),
            "mount it read-write; the kernel mounts a disk with errors read-only: see dmesg",
        ));
    }
    for why in &machine.unreachable {
        findings.push(Finding::error(
            FindingId::VolumeUnusable,
            why.clone(),
            "start the container once: the start creates its folders",
        ));
    }
    for why in &machine.foreign {
        findings.push(Finding::warning(
            FindingId::VolumeForeign,
            why.clone(),
            "restart the container, which corrects its folders: docker compose restart",
        ));
    }
    findings
}
