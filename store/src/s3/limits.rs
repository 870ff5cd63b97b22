//! Limits of the back end for S3, each with its reason. Those that `S3Settings` has a field for are its defaults.

use std::time::Duration;

/// Objects longer than this are put in parts: up to it one request costs least.
pub(crate) const MULTIPART_ABOVE: u64 = 16 << 20;

/// Bytes of a part: a chunk of 300 MB takes 18, and a part that is lost costs little to send again.
pub(crate) const PART_BYTES: u64 = 16 << 20;

/// Bytes of the smallest part that is not the last: S3 refuses smaller ones.
pub(crate) const PART_BYTES_MIN: u64 = 5 << 20;

/// Parts of one object: S3 takes no more.
pub(crate) const PARTS_MAX: u64 = 10_000;

/// Parts of one object that are sent at once: two fill most lines, four hide the pauses between requests.
pub(crate) const PARTS_AT_ONCE: usize = 4;

/// Bytes of all uploads under way: what is read from files into memory, and what one process takes of the line.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 128 << 20;

/// Uploads in parts that are begun for one put, when S3 answers a completion with 409 and wants all parts anew.
pub(crate) const UPLOADS_MAX: u32 = 3;

/// How long a connection may take to be made.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take beyond what its bytes, and those of the request, are allowed; and how long its body may
/// stand still.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The slowest transfer that is waited for, in bytes per second, averaged over one request: eight parts at once on a line
/// of 4 Mbit/s.
pub(crate) const BYTES_PER_SECOND_MIN: u64 = 64 << 10;

/// Bytes of an upload that S3 makes an object of in a second, at least: none of them is sent again. A chunk of 300 MB gets 71 s
/// beyond the time of an answer.
pub(crate) const COMPLETED_BYTES_PER_SECOND_MIN: u64 = 4 << 20;

/// The longest that S3 may take to make an object of its parts, whatever its length, beyond the time of an answer; then it is
/// looked for, and the upload completed again.
pub(crate) const COMPLETION_TIME_MAX: Duration = Duration::from_secs(300);

/// Tries of one request. Whoever asks the store tries again for longer, and more slowly.
pub(crate) const TRIES_MAX: u32 = 4;

/// The longest first wait before a request is tried again; it doubles. The wait is drawn between nothing and this.
pub(crate) const RETRY_WAIT: Duration = Duration::from_millis(200);

/// The longest wait that it doubles to.
pub(crate) const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Tries again that all requests together may make before one of them succeeds: a store that is gone, or asks to be
/// spared, is not asked four times as often.
pub(crate) const RETRY_BUDGET: u32 = 50;

/// Requests that succeed for each further try again: so at most one request in ten is one, for long.
pub(crate) const SUCCESSES_PER_RETRY: u32 = 10;

/// Keys in a page of a list: S3 gives no more.
pub(crate) const PAGE_KEYS_MAX: usize = 1_000;

/// Positions in an object from which on nothing is asked for: no object is that long, and some servers read signed numbers.
pub(crate) const POSITION_MAX: u64 = 1 << 62;

const _: () = assert!(PART_BYTES >= PART_BYTES_MIN && PART_BYTES <= UPLOAD_BYTES_MAX);
const _: () = assert!(MULTIPART_ABOVE <= UPLOAD_BYTES_MAX);
