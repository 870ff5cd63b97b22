//! Names of groups are those that the database has, however often they were asked for before.

use super::tests::{commit, file, folder, open};
use crate::conformance::{asked, cell_batch, chunk_id, folded_chunk};
use crate::{Batch, CellKey, CellQuery, Dimension, DimensionSet, Source};
use sketch::{Cell, Layout};

const METRIC: &str = "A_METRIC";

fn key(os: &str) -> CellKey {
    let day = "20170101".parse().expect("a day");
    let values = [(Dimension::named(Dimension::OS), os.to_owned())];
    CellKey {
        metric: METRIC.to_owned(),
        dimensions: DimensionSet::new(Source::telemetry_main(), day, values),
        process: "parent".to_owned(),
        label: String::new(),
        layout: Layout::COUNT,
    }
}

#[tokio::test]
async fn a_text_that_was_changed_behind_its_back_is_read_anew() {
    let folder = folder();
    let store = open(&file(&folder));
    let cells: Vec<(CellKey, Cell)> = ["Linux", "Darwin"]
        .map(|os| (key(os), Cell::new(1, 3, [(3, 1)])))
        .to_vec();
    let batch = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        ..cell_batch(&cells)
    };
    commit(&store, batch).await;
    let query = CellQuery {
        source: Source::telemetry_main(),
        metric: METRIC.to_owned(),
        filters: Vec::new(),
        label: None,
        processes: None,
        group_by: vec![Dimension::named(Dimension::OS)],
        by_process: false,
    };
    let groups = async || -> Vec<String> {
        let rows = asked(&store, &query).await;
        rows.into_iter().flat_map(|row| row.group).collect()
    };
    assert_eq!(groups().await, ["Darwin", "Linux"]);
    let changed = store.write("change a text", |writer| {
        let change = "UPDATE string SET text = 'BeOS' WHERE text = 'Linux'";
        Ok(writer.connection.execute(change, [])?)
    });
    assert_eq!(changed.await.expect("it is written"), 1);
    assert_eq!(groups().await, ["BeOS", "Darwin"]);
}
