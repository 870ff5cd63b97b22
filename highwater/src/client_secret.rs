//! The secret that clients are hashed with: `client-secret` in the data directory, made at the first start that needs it, or a file
//! that is given, where several edges must hash alike. 32 bytes, which no other user of the machine may read.
//!
//! It is needed for as long as anybody is counted by it, so it belongs into the backup, and where chunks are not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context;
use readers::privacy::ClientSecret;
use service::random::Random;

/// Its name in the data directory.
pub(crate) const NAME: &str = "client-secret";

/// Permissions of the one that is made here: its owner's alone.
const MODE: u32 = 0o600;

/// Reads a secret that was given. Its group may read it, as where it is mounted by whoever runs containers.
pub(crate) fn given(path: &Path) -> anyhow::Result<ClientSecret> {
    read(path, 0o007)?.with_context(|| format!("--client-secret-file: there is no {}", path.display()))
}

/// The data directory's own secret, if there is one. When this returns, a crash cannot lose it: whoever made it may have been killed
/// before its name was on disk.
pub(crate) fn own(data_dir: &Path) -> anyhow::Result<Option<ClientSecret>> {
    let path = data_dir.join(NAME);
    let secret = read(&path, 0o077)?;
    if secret.is_some() {
        let synced = File::open(data_dir).and_then(|folder| folder.sync_all());
        synced.with_context(|| format!("cannot sync the folder of {}", path.display()))?;
    }
    Ok(secret)
}

/// Draws a secret.
pub(crate) fn draw(random: &dyn Random) -> ClientSecret {
    let (mut bytes, halves) = ([0; ClientSecret::BYTES], [random.bits(), random.bits()]);
    bytes.copy_from_slice(halves.as_flattened());
    ClientSecret::from_bytes(bytes)
}

/// Keeps a secret as the data directory's own, of which there is none. When this returns, a crash cannot lose it.
pub(crate) fn keep(data_dir: &Path, secret: &ClientSecret) -> anyhow::Result<()> {
    let (path, draft) = (data_dir.join(NAME), data_dir.join(format!("{NAME}.new")));
    write(&draft, secret.as_bytes())
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| File::open(data_dir)?.sync_all())
        .with_context(|| format!("cannot make {}", path.display()))
}

fn write(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a secret, if there is a file. Those in `forbidden` must have no permission.
fn read(path: &Path, forbidden: u32) -> anyhow::Result<Option<ClientSecret>> {
    let name = path.display();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Another one in the place of such a link would be where nobody looks for it.
            anyhow::ensure!(
                fs::symlink_metadata(path).is_err(),
                "{name}, the secret that clients are hashed with, is a link that leads nowhere: mount what it leads to, or remove it"
            );
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    let about = file.metadata().with_context(|| format!("cannot read {name}"))?;
    let mode = about.mode() & 0o777;
    anyhow::ensure!(
        mode & forbidden == 0,
        "{name}, the secret that clients are hashed with, has mode {mode:04o}, so others can read it: chmod {:04o} it, and if they may have, know that \
         who has it can tell which stored pings are those of a client whose id they know",
        mode & !forbidden
    );
    let mut bytes = Vec::with_capacity(ClientSecret::BYTES + 1);
    let read = file.take(ClientSecret::BYTES as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {name}"))?;
    let secret = ClientSecret::from_slice(&bytes).with_context(|| {
        format!(
            "{name}, the secret that clients are hashed with, has {} bytes and not {}: put the right one back from a backup; where there was \
             never one, remove it",
            about.len(),
            ClientSecret::BYTES
        )
    })?;
    Ok(Some(secret))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use service::random::SeededRandom;

    use super::*;

    fn permit(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permitted");
    }

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        assert_eq!(own(dir).expect("read"), None);
        // What a crash left while another was made.
        fs::write(dir.join("client-secret.new"), "half of it").expect("written");
        let random = SeededRandom::new(1);
        let made = draw(&*random);
        keep(dir, &made).expect("made");
        assert_eq!(own(dir).expect("read"), Some(made.clone()));
        let about = fs::metadata(dir.join(NAME)).expect("there");
        assert_eq!((about.mode() & 0o777, about.len()), (0o600, 32));
        assert!(!dir.join("client-secret.new").exists());
        assert_ne!(draw(&*random), made);
    }

    #[test]
    fn a_file_that_is_no_secret_or_that_others_can_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        for length in [0, 31, 33, 5_000] {
            fs::write(&path, vec![7; length]).expect("written");
            permit(&path, 0o600);
            let error = own(folder.path()).expect_err("no secret").to_string();
            assert!(
                error.contains(&format!("has {length} bytes and not 32")),
                "{error}"
            );
            assert!(error.contains("put the right one back"), "{error}");
        }
        fs::write(&path, [7; 32]).expect("written");
        for (mode, own_is_read, given_is_read) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o440, false, true),
            (0o604, false, false),
            (0o644, false, false),
        ] {
            permit(&path, mode);
            let (own, given) = (own(folder.path()), given(&path));
            assert_eq!(
                (own.is_ok(), given.is_ok()),
                (own_is_read, given_is_read),
                "{mode:o}"
            );
            for error in own.err().into_iter().chain(given.err()) {
                let error = error.to_string();
                assert!(
                    error.contains(&format!("has mode {mode:04o}")) && error.contains("chmod"),
                    "{error}"
                );
            }
        }
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink(folder.path().join("unmounted"), &path).expect("linked");
        for error in [
            own(folder.path()).expect_err("a link"),
            given(&path).expect_err("a link"),
        ] {
            assert!(error.to_string().contains("a link that leads nowhere"), "{error}");
        }
        let error = given(&folder.path().join("none"))
            .expect_err("absent")
            .to_string();
        assert!(error.contains("--client-secret-file: there is no"), "{error}");
    }
}
