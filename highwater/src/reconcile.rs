//! `highwater reconcile`: lists the store and indexes what is missing.

use crate::change::change;
use crate::cli::Data;
use crate::pipeline::Request;

/// Runs the command.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    let found = change(data, Request::Reconcile, |_| ()).await?;
    let count = |name: &str| found[name].as_u64().unwrap_or(0);
    let (listed, missing) = (count("listed"), count("missing"));
    #[expect(clippy::cast_precision_loss, reason = "a percentage for a person")]
    let percent = if listed == 0 {
        0.0
    } else {
        100.0 * missing as f64 / listed as f64
    };
    eprintln!(
        "{listed} chunks listed, {missing} were missing in the index ({percent:.3} %): {} added, {} unreadable, {} to be tried again",
        count("added"),
        count("unreadable"),
        count("unanswered")
    );
    Ok(())
}
