//! Chunks of a selection, page by page.

use std::io::{self, Write};
use std::sync::Arc;

use index_schema::{ChunkKind, RetainIndex, Selection};
use service::directory::DataDirectory;

use super::listing::Listing;
use crate::cli::IndexQuery;
use crate::data::Data;
use crate::places;

/// Entries read at once. A database may sort all that it finds anew for each page.
const ENTRIES: usize = 10_000;

/// Prints the chunks, or how they are found.
pub(crate) async fn run(command: &IndexQuery) -> anyhow::Result<()> {
    let index = open(&command.data).await?;
    let kind = if command.errors {
        ChunkKind::Errors
    } else {
        ChunkKind::Pings
    };
    let selection = Selection {
        conditions: command.dimensions.conditions(),
        kind: Some(kind),
        ..Selection::default()
    };
    if command.dimensions.ask_the_uri() {
        eprintln!(
            "chunks of other namespaces than telemetry lie under UNKNOWN, whatever app, channel, version and build id their \
             pings state: `highwater pings` looks into them; add UNKNOWN to the values to list them here"
        );
    }
    let mut output = io::stdout().lock();
    if command.explain {
        let wanted = usize::try_from(command.limit).map_or(ENTRIES, |limit| limit.min(ENTRIES));
        writeln!(output, "{}", index.explain(&selection, wanted).await?)?;
        return Ok(());
    }
    let mut listing = Listing::new(output, command.format)?;
    let (mut after, mut left) = (None, command.limit);
    while left > 0 {
        let wanted = usize::try_from(left).map_or(ENTRIES, |left| left.min(ENTRIES));
        let entries = index.select(&selection, after.as_deref(), wanted).await?;
        for entry in &entries {
            listing.print(entry)?;
        }
        left -= entries.len() as u64;
        match entries.last() {
            Some(last) if entries.len() == wanted => after = Some(last.key.clone()),
            _ => break,
        }
    }
    Ok(listing.finish()?)
}

/// A shared index is opened without a data directory.
async fn open(data: &Data) -> anyhow::Result<Arc<dyn RetainIndex>> {
    if let Some(index) = places::open_shared_index(data).await? {
        return Ok(index);
    }
    let directory = DataDirectory::read(disk::RealDisk::shared().as_ref(), &data.data_dir)?;
    places::read_index(data, &directory).await
}
