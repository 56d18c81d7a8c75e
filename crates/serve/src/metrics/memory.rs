use handover::Memory;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MemoryLabel {
    process: &'static str,
    kind: &'static str,
}

/// Adds the current memory use of processes; a process whose memory use is unknown is left out.
pub fn register_memory(
    registry: &mut Registry,
    processes: impl IntoIterator<Item = (&'static str, Option<Memory>)>,
) {
    let family: Family<MemoryLabel, Gauge> = Family::default();
    for (process, memory) in processes {
        let Some(Memory { anonymous, file }) = memory else { continue };
        for (kind, octets) in [("anonymous", anonymous), ("file", file)] {
            family
                .get_or_create(&MemoryLabel { process, kind })
                .set(i64::try_from(octets).unwrap_or(i64::MAX));
        }
    }
    registry.register("process_memory_bytes", "A process's share of memory, by kind", family);
}
