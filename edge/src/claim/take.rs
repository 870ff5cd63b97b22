//! Claiming a start of the log. First it is looked whether it may be claimed, before anything is written: a start that is
//! refused leaves the log as it was, however often it is tried. Then, when the log has counted the start, it is claimed, before
//! anything is answered or sealed.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::Disk;
use ping::Incarnation;
use service::random::Random;
use service::task;
use store::{Payload, Store, StoreError};

use super::claim_object::{ClaimObject, Nonce, boot as boot_of, folder};
use super::claims_file::{ClaimsFile, Known};
use super::judge::{self, Before, Refusal};
use super::watch::LOOK_EVERY;
use crate::log::starts::Starts;

/// How long whoever may still run has to see that its log was claimed anew: it looks every [`LOOK_EVERY`].
const NOTICE: Duration = Duration::from_secs(3 * LOOK_EVERY.as_secs());
/// The pause before a store that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// Claims listed at once: older ones are removed at each start, so there are few.
const PAGE: usize = 1_000;

/// That starts are claimed, and by whom.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The lock under which this process has the log: a name that no other lock has, on this machine since it started or on
    /// any other one. Empty when there is none that could be named.
    pub lock: String,
}

/// Why a start could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another process went on with the same log.
    #[error(
        "another process went on with this log (incarnation {incarnation}, start {boot}): this data directory is a copy of \
         its, or it is a copy of this one, and both would give the same numbers to different pings. If the other one is \
         the right one, use an empty data directory here. If this one is, end the other one and delete the object \
         `edges/{incarnation}/{boot:020}` in the store"
    )]
    Another {
        /// The log.
        incarnation: Incarnation,
        /// The start that the other one claimed.
        boot: u64,
    },
    /// The log has fewer starts than this directory claimed.
    #[error(
        "this log (incarnation {incarnation}) went back: start {boot} of it was claimed from this data directory, which \
         now holds an older copy of the log. Put the newer one back; if it is lost for good, use an empty data directory"
    )]
    WentBack {
        /// The log.
        incarnation: Incarnation,
        /// The start that was claimed.
        boot: u64,
    },
    /// How often the log was started cannot be read.
    #[error("write-ahead log: could not read how often it was started: {0}; check the disk and permissions")]
    Starts(io::Error),
    /// What is remembered of claims cannot be read or written.
    #[error("the file beside the log that remembers its claims: {0}")]
    Remember(#[from] io::Error),
}

/// That a start may be claimed.
#[derive(Debug)]
pub(crate) struct Claimable {
    /// The start.
    boot: u64,
    /// The newest claim in the store.
    newest: Option<ClaimObject>,
    known: Option<Known>,
}

/// Looks whether the next start of the log may be claimed, and changes nothing; waits for a store that does not answer.
///
/// # Errors
/// When the log is another's, or went back, or what is remembered cannot be read.
pub(crate) async fn look(
    claims: &Claims,
    (store, disk): (&dyn Store, &Arc<dyn Disk>),
    own: Incarnation,
    log_dir: &Path,
) -> Result<Claimable, ClaimError> {
    let (starts, dir) = (Starts::beside(log_dir, own), log_dir.to_owned());
    let reading = Arc::clone(disk);
    let so_far = task::blocking(move || starts.so_far(reading.as_ref(), &dir)).await;
    let boot = so_far.map_err(ClaimError::Starts)?.saturating_add(1);
    let known = on_disk(disk, &ClaimsFile::beside(log_dir, own), ClaimsFile::read).await?;
    let newest = answered(|| newest(store, own)).await;
    let claimable = Claimable { boot, newest, known };
    claimable.judge(claims, own)?;
    Ok(claimable)
}

impl Claimable {
    /// Whether the claim tried last was made, and whether who held the log before may live.
    fn judge(&self, claims: &Claims, own: Incarnation) -> Result<(bool, bool), ClaimError> {
        match judge::before(self.boot, self.newest.as_ref(), self.known.as_ref(), &claims.lock) {
            Before::Claim { was_made, may_live } => Ok((was_made, may_live)),
            Before::Refuse(refusal) => Err(refused(own, refusal)),
        }
    }
}

fn refused(own: Incarnation, refusal: Refusal) -> ClaimError {
    match refusal {
        Refusal::Another { boot } => ClaimError::Another {
            incarnation: own,
            boot,
        },
        Refusal::WentBack { boot } => ClaimError::WentBack {
            incarnation: own,
            boot,
        },
    }
}

/// Claims start `boot` of the log, which the log has counted by now; waits for a store that does not answer, for nothing may
/// be taken before.
///
/// # Errors
/// When another claimed it meanwhile, or what is remembered cannot be written.
pub(crate) async fn take(
    claims: &Claims,
    claimable: Claimable,
    (store, disk, random): (&dyn Store, &Arc<dyn Disk>, &dyn Random),
    (own, boot): (Incarnation, u64),
    log_dir: &Path,
) -> Result<(), ClaimError> {
    // The log may have found that it knows less, where it is damaged.
    let claimable = Claimable { boot, ..claimable };
    let (was_made, may_live) = claimable.judge(claims, own)?;
    let Claimable { newest, known, .. } = claimable;
    let refused = |refusal| refused(own, refusal);
    let keep = ClaimsFile::beside(log_dir, own);
    let known = match known {
        Some(known) if !was_made => known,
        known => {
            let next = Nonce(u128::from_be_bytes(random.bits()));
            let known = Known {
                held: known.map_or(next, |known| known.next),
                next,
            };
            on_disk(disk, &keep, move |keep, disk| keep.write(disk, known)).await?;
            known
        }
    };
    let claim = ClaimObject::new(boot, known.next, &claims.lock);
    answered(|| put(store, own, &claim)).await.map_err(&refused)?;
    let seen = newest.map(|newest| newest.boot);
    let claimed = answered(|| boots(store, own)).await;
    let others: Vec<u64> = claimed
        .iter()
        .copied()
        .filter(|other| *other != boot && seen.is_none_or(|seen| *other > seen))
        .collect();
    let others = answered(|| read_claims(store, own, &others)).await;
    judge::after(&others, &known).map_err(&refused)?;
    if may_live {
        tracing::info!(
            boot,
            seconds = NOTICE.as_secs(),
            "nothing proves that the last holder of this log is gone (another machine, a restart of this one, a copy of the \
             directory): if it still runs, it has so long to end"
        );
        task::sleep(NOTICE).await;
    }
    remove_older(store, own, &claimed, boot).await;
    Ok(())
}

/// Asks until there is an answer.
async fn answered<T, F: Future<Output = Result<T, StoreError>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "the store does not answer: no ping is taken before this start of the log is claimed in it; asking again"
                );
                task::sleep(AGAIN).await;
            }
        }
    }
}

/// Starts that are claimed, in ascending order.
pub(super) async fn boots(store: &dyn Store, own: Incarnation) -> Result<Vec<u64>, StoreError> {
    let (mut boots, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store.list(&folder(own), after.as_deref(), PAGE).await?;
        boots.extend(page.objects.iter().filter_map(|object| boot_of(own, &object.key)));
        after = page.objects.last().map(|object| object.key.clone());
        if !page.more || after.is_none() {
            return Ok(boots);
        }
    }
}

/// The newest claim.
async fn newest(store: &dyn Store, own: Incarnation) -> Result<Option<ClaimObject>, StoreError> {
    let newest = boots(store, own).await?.pop();
    Ok(read_claims(store, own, newest.as_slice()).await?.pop())
}

/// The claims of these starts. One that cannot be read, or that a later start removed meanwhile, is nobody's.
async fn read_claims(
    store: &dyn Store,
    own: Incarnation,
    boots: &[u64],
) -> Result<Vec<ClaimObject>, StoreError> {
    let mut claims = Vec::new();
    for boot in boots {
        let nobodys = ClaimObject::new(*boot, Nonce(0), "");
        let key = nobodys.key(own);
        claims.push(match store.get(&key).await {
            Ok(object) => ClaimObject::decode(own, &key, &object).unwrap_or(nobodys),
            Err(StoreError::NotFound { .. }) => nobodys,
            Err(error) => return Err(error),
        });
    }
    Ok(claims)
}

/// Puts a claim; whose the object is then, is looked at, whatever was answered.
async fn put(
    store: &dyn Store,
    own: Incarnation,
    claim: &ClaimObject,
) -> Result<Result<(), Refusal>, StoreError> {
    let key = claim.key(own);
    // An error may have come after the object was there.
    let put = store
        .put_if_absent(&key, Payload::Bytes(Bytes::from(claim.encode())))
        .await;
    match store.get(&key).await {
        Ok(object)
            if ClaimObject::decode(own, &key, &object).is_some_and(|found| found.nonce == claim.nonce) =>
        {
            Ok(Ok(()))
        }
        Ok(_) => Ok(Err(Refusal::Another { boot: claim.boot })),
        Err(error) => Err(put.err().unwrap_or(error)),
    }
}

/// Removes claims of earlier starts: the newest one alone says whose the log is.
async fn remove_older(store: &dyn Store, own: Incarnation, claimed: &[u64], boot: u64) {
    for older in claimed.iter().filter(|older| **older < boot) {
        let key = ClaimObject::new(*older, Nonce(0), "").key(own);
        if let Err(error) = store.delete(&key).await {
            tracing::debug!(%error, "an older claim stays until the next start");
        }
    }
}

async fn on_disk<T: Send + 'static>(
    disk: &Arc<dyn Disk>,
    keep: &ClaimsFile,
    work: impl FnOnce(&ClaimsFile, &dyn Disk) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (disk, keep) = (Arc::clone(disk), keep.clone());
    task::blocking(move || work(&keep, disk.as_ref())).await
}
