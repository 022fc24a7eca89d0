//! Every connection is an open file, and systems give a process few of them unless it asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the rest of the process needs: database, deliveries, platforms, log.
const OTHERS: u64 = 512;
/// With fewer connections than this no gateway can work.
const FEWEST: u64 = 16;

/// How many of the wanted connections the system lets us have, after asking it for as many files as we may.
#[must_use]
pub fn affordable(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let mut files = limit.current.unwrap_or(u64::MAX);
    if files < needed {
        let raised = needed.min(limit.maximum.unwrap_or(u64::MAX));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            files = raised;
        }
    }
    let possible = room(files, wanted);
    if possible < wanted {
        tracing::warn!(
            files,
            wanted,
            possible,
            "fewer connections than server.max_connections: the system allows too few open files (LimitNOFILE, ulimit -n)"
        );
    }
    possible
}

fn room(files: u64, wanted: usize) -> usize {
    let possible = files.saturating_sub(OTHERS).max(files / 2).max(FEWEST);
    wanted.min(usize::try_from(possible).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(room(u64::MAX, 4096), 4096);
        assert_eq!(room(4608, 4096), 4096);
        assert_eq!(room(4096, 4096), 3584);
        assert_eq!(room(1024, 4096), 512);
        assert_eq!(room(256, 4096), 128);
        assert_eq!(room(8, 4096), 16);
        assert_eq!(room(1024, 100), 100);
    }
}
