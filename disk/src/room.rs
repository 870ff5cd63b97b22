//! Telling want of room from everything else that a disk may answer.

use std::io::{Error, ErrorKind};

/// Whether an error says that there is no room: a full disk, one without inodes, a used quota, a file that may not get longer.
/// It goes when somebody makes room; whatever else a disk answers says that it does not work.
pub fn is_want_of_room(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::is_want_of_room;

    #[test]
    fn a_full_disk_a_quota_and_the_longest_file_are_want_of_room_and_nothing_else_is() {
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert!(is_want_of_room(&errno.into()), "{errno}");
        }
        for errno in [Errno::ROFS, Errno::IO, Errno::ACCESS, Errno::MFILE, Errno::NOENT] {
            assert!(!is_want_of_room(&errno.into()), "{errno}");
        }
    }
}
