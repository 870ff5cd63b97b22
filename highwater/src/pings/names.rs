//! The names of what is added to a printed ping, and how its own members keep theirs: what an import takes away again.

/// The member that is added to a body.
pub(crate) const META: &str = "meta";

/// Put before the name of a body's own member `meta`, and before those that are called so by it: `body_meta` is printed as
/// `body_body_meta`. So an import can tell them apart, and take it away again.
pub(crate) const OWN: &str = "body_";

/// Stored headers, and the names under which the original showed them in `meta`.
pub(crate) const HEADERS: [(&str, &str); 11] = [
    ("content-encoding", CONTENT_ENCODING),
    ("date", "Date"),
    ("dnt", "DNT"),
    ("host", "Host"),
    ("user-agent", "User-Agent"),
    ("x-pingsender-version", "X-PingSender-Version"),
    ("x-debug-id", "X-Debug-ID"),
    ("x-source-tags", "X-Source-Tags"),
    ("x-telemetry-agent", "X-Telemetry-Agent"),
    ("x-pipeline-proxy", "X-Pipeline-Proxy"),
    ("x-lb-tags", "X-LB-Tags"),
];

/// Shown of a body that is printed as it was sent: with it, it can be read.
pub(crate) const CONTENT_ENCODING: &str = "Content-Encoding";

/// Under this name of `meta` stands [`BASE64`], if the line's `body` is the ping's body in that.
pub(crate) const BODY: &str = "body";

/// How bytes are printed.
pub(crate) const BASE64: &str = "base64";

/// Under this name of `meta` stands the body as it was sent, in base64, if something in its texts had to be replaced.
pub(crate) const SENT_BODY: &str = "sentBody";

/// Under this name of `meta` stands the keyed hash of a client whose id is not stored, in hexadecimal digits.
pub(crate) const CLIENT_HASH: &str = "clientHash";

/// Whether a body's own member of this name is printed under another one.
pub(crate) fn would_hide(name: &str) -> bool {
    let mut rest = name;
    while let Some(inner) = rest.strip_prefix(OWN) {
        rest = inner;
    }
    rest == META
}

/// The name that a body's member has in the body itself.
pub(crate) fn own_name(printed: &str) -> &str {
    match printed.strip_prefix(OWN) {
        Some(own) if would_hide(own) => own,
        _ => printed,
    }
}
