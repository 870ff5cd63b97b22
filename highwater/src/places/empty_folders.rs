//! Empty folders of the store in the data directory, as earlier versions left them where they deleted objects.

use service::task;
use store::DirectoryStore;

/// Removes them in a task of its own, beside whatever goes on.
pub(super) fn remove(store: DirectoryStore) {
    task::spawn("empty-folders", async move {
        let removed = task::blocking(move || store.remove_empty_folders()).await;
        match removed {
            Ok(0) => {}
            Ok(folders) => tracing::info!(folders, "empty folders of the store were removed"),
            Err(error) => tracing::warn!(%error, "empty folders of the store could not be looked for"),
        }
    });
}
