//! How many files and connections the process may have open: as many as the system lets it, and how many of them listeners get.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::http::ConnectionLimits;

/// What is kept for segments of the log, databases, chunks and connections to other services.
const KEPT_FOR_FILES: u64 = 256;

/// Raises the soft limit of open files to the hard one. Many systems set it to 1,024, fewer than the connections that a
/// listener takes by default.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(?current, %error, "cannot raise the limit of open files; listeners take fewer connections");
    }
}

/// The limits of a listener's connections, their number lowered to its share where so many listeners share the limit of open
/// files. A connection beyond it could not be accepted even to ask a silent one to yield, and no file of the log be opened.
pub(crate) fn within_limit(listener: &str, mut limits: ConnectionLimits, listeners: u64) -> ConnectionLimits {
    let Rlimit { current, .. } = getrlimit(Resource::Nofile);
    let share = current.map_or(usize::MAX, |limit| share_of(limit, listeners));
    if share < limits.connections {
        tracing::warn!(
            listener,
            set = limits.connections,
            taken = share,
            limit = current,
            "the limit of open files leaves fewer connections than were set: raise it (LimitNOFILE, ulimit -n)"
        );
    }
    limits.connections = limits.connections.min(share);
    limits
}

/// What one of so many listeners gets of a limit of open files; one connection at least.
fn share_of(limit: u64, listeners: u64) -> usize {
    let kept = KEPT_FOR_FILES.min(limit / 2);
    usize::try_from((limit - kept) / listeners.max(1))
        .unwrap_or(usize::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::{KEPT_FOR_FILES, share_of};

    #[test]
    fn listeners_together_never_take_what_is_kept_for_files() {
        for limit in [1_u64, 2, 16, 64, 255, 256, 512, 1_024, 4_096, 1 << 20, u64::MAX] {
            for listeners in 1..=3 {
                let share = share_of(limit, listeners) as u64;
                assert!(share >= 1);
                let kept = limit.saturating_sub(share.saturating_mul(listeners));
                assert!(
                    kept >= KEPT_FOR_FILES.min(limit / 2) || share == 1,
                    "{limit} {listeners}"
                );
            }
        }
        assert_eq!(share_of(1_024, 2), 384);
    }
}
