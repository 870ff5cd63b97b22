//! What may go wrong with one request, and how it looks to the client.

use std::time::Duration;

/// What becomes of a request. "Done" means that the object is changed, or the answer made, as without the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All goes well.
    None,
    /// Read, not done, answered with an error document of this code.
    Refused {
        /// The status.
        status: u16,
        /// The code in the document; with an empty one there is no document.
        code: &'static str,
    },
    /// Done, then answered as if it were refused.
    DoneThenRefused {
        /// The status.
        status: u16,
        /// The code in the document.
        code: &'static str,
    },
    /// The connection is closed before the request's body is read.
    CutInUpload,
    /// The request's body is never read, and nothing answered.
    Deaf,
    /// One bit of the request's body is another, as if on the way.
    DamagedInUpload,
    /// The request is read, not done, and the connection closed.
    Cut,
    /// The request is done, and the connection closed without an answer.
    DoneThenCut,
    /// Done; the connection is closed in the middle of the answer's body.
    DoneThenCutInBody,
    /// Done; one bit of the answer's body is another.
    DoneThenDamaged,
    /// Done; the answer is the one that the last request of this kind got.
    DoneThenLastAnswer,
    /// Read, not done, never answered.
    Silent,
    /// Done, never answered.
    DoneThenSilent,
    /// Done; the answer begins, and its body never ends.
    DoneThenStalled,
    /// Done after a while.
    Slow(Duration),
}
