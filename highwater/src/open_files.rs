//! How many files and connections the process may have open: as many as the system lets it, and how many of them listeners get.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::http::ConnectionLimits;

/// What is kept for files, where the limit allows: twice the least, and 256 segments, which a full log of the default budget has.
const KEPT_FOR_FILES: u64 = 2 * FILES_LEAST + 256;

/// What a process with a short log needs: 39 when nothing is done, 20 of them for databases; a file and
/// a folder for each of 32 seals; and some for chunks that are folded.
const FILES_LEAST: u64 = 128;

/// Fewer connections of a listener are no service: a quarter of them are kept for heartbeats.
const CONNECTIONS_LEAST: u64 = 16;

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
///
/// # Errors
/// When the limit is too low for files and connections.
pub(crate) fn within_limit(
    listener: &str,
    limits: ConnectionLimits,
    listeners: u64,
) -> anyhow::Result<ConnectionLimits> {
    let Rlimit { current, .. } = getrlimit(Resource::Nofile);
    let limit = current.unwrap_or(u64::MAX);
    let set = limits.connections;
    let within = share(limits, limit, listeners)?;
    if within.connections < set {
        tracing::warn!(
            listener,
            set,
            taken = within.connections,
            limit,
            "the limit of open files leaves fewer connections than were set: raise it (LimitNOFILE, ulimit -n)"
        );
    }
    Ok(within)
}

/// What one of so many listeners gets of a limit of open files: for connections, for heartbeats beside them, and for the
/// one that is accepted and waits for a seat.
fn share(mut limits: ConnectionLimits, limit: u64, listeners: u64) -> anyhow::Result<ConnectionLimits> {
    let least = FILES_LEAST + CONNECTIONS_LEAST * listeners;
    anyhow::ensure!(
        limit >= least,
        "this process may have {limit} files open, which is too few for its files and connections: {least} are the least, \
         1024 are better; raise the limit (`ulimit -n 1024` before the start, or LimitNOFILE= of the service)"
    );
    let kept = KEPT_FOR_FILES.min(limit / 2).max(FILES_LEAST);
    let share = usize::try_from((limit - kept) / listeners.max(1)).unwrap_or(usize::MAX);
    limits.heartbeat_seats = limits.heartbeat_seats.min(share / 4);
    limits.connections = limits.connections.min(share - limits.heartbeat_seats - 1);
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use service::http::ConnectionLimits;

    use super::{CONNECTIONS_LEAST, FILES_LEAST, KEPT_FOR_FILES, share};

    #[test]
    fn listeners_together_never_take_what_is_kept_for_files() {
        for listeners in 1..=3 {
            let least = FILES_LEAST + CONNECTIONS_LEAST * listeners;
            for limit in [least, least + 1, 256, 512, 1_024, 4_096, 1 << 20, u64::MAX] {
                let limits = share(ConnectionLimits::default(), limit, listeners).expect("enough");
                let taken = (limits.connections + limits.heartbeat_seats + 1) as u64 * listeners;
                assert!(
                    limit - taken >= KEPT_FOR_FILES.min(limit / 2).max(FILES_LEAST),
                    "{limit} {listeners}"
                );
                assert!(
                    limits.connections >= 11 && limits.heartbeat_seats >= 4,
                    "{limits:?}"
                );
            }
        }
        let limits = share(ConnectionLimits::default(), 1_024, 2).expect("enough");
        assert_eq!((limits.connections, limits.heartbeat_seats), (191, 64));
    }

    #[test]
    fn a_limit_that_serves_nobody_is_refused_with_what_to_do() {
        for (limit, listeners, least) in [(0, 1, "144"), (143, 1, "144"), (64, 2, "160"), (159, 2, "160")] {
            let words = share(ConnectionLimits::default(), limit, listeners)
                .expect_err("too low")
                .to_string();
            assert!(words.contains(least) && words.contains("ulimit -n"), "{words}");
        }
    }
}
