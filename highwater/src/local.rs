//! A data directory opened for reading: no lock, beside whoever changes it.

use std::sync::Arc;

use aggregate_store::SqliteAggregates;
use aggregator::Generations;
use disk::RealDisk;
use index_schema::RetainIndex;
use service::control::{ControlError, ask};
use service::directory::DataDirectory;
use store::Store;

use crate::data::Data;
use crate::places;

use crate::pipeline::Request;

/// What can be read in a data directory.
pub(crate) struct Local {
    /// The directory itself.
    pub directory: DataDirectory,
    /// The chunks.
    pub store: Arc<dyn Store>,
    /// The index.
    pub index: Arc<dyn RetainIndex>,
    /// The current generation of aggregates.
    pub aggregates: Arc<SqliteAggregates>,
}

impl Local {
    /// The same as [`open`](Self::open), after who runs on the directory, if anybody does, has written what it holds of
    /// aggregates in memory.
    pub(crate) async fn open_written(data: &Data) -> anyhow::Result<Self> {
        match ask(&data.data_dir, &serde_json::to_value(Request::Persist)?).await {
            Ok(answers) => drop(answers.result(|_| {}).await?),
            Err(ControlError::NobodyListens(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Self::open(data).await
    }

    /// Opens a directory that a pipeline made.
    pub(crate) async fn open(data: &Data) -> anyhow::Result<Self> {
        let disk = RealDisk::shared();
        let directory = DataDirectory::read(disk.as_ref(), &data.data_dir)?;
        let store = places::open_store(data, &directory, disk).await?;
        let index = places::read_index(data, &directory).await?;
        let generation = index.generation().await?;
        let generations = Generations::new(&directory.aggregates());
        let aggregates = Arc::new(SqliteAggregates::open_read_only(&generations.path(generation))?);
        Ok(Self {
            directory,
            store,
            index,
            aggregates,
        })
    }
}
