//! URIs that put a ping into a partition of choice.

/// The URI of a ping with another build id, which alone then decides its partition.
///
/// `/submit/telemetry/<id>/<type>/<app>/<version>/<channel>/<build>?v=4`: id and type stay, all else is fixed.
pub(crate) fn uri_in(uri: &str, partition: usize) -> String {
    let document = uri.split('/').nth(3).unwrap_or_default();
    uri_of(document, partition)
}

/// The URI of a main ping with this document id.
pub(crate) fn uri_of(document: &str, partition: usize) -> String {
    let build = 20_170_101_000_000 + partition as u64;
    format!("/submit/telemetry/{document}/main/Firefox/54.0a1/nightly/{build}?v=4")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_document_id_is_kept() {
        let uri = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/53.0/release/20170413192749?v=4";
        assert_eq!(
            uri_in(uri, 12),
            "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/54.0a1/nightly/20170101000012?v=4"
        );
    }
}
