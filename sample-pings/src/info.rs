//! `payload.info`: which session this was, and why the ping was sent.

use crate::json::Json;
use crate::session::Session;

const REASONS: &[&str] = &[
    "shutdown",
    "shutdown",
    "shutdown",
    "daily",
    "daily",
    "environment-change",
    "aborted-session",
];

/// Writes `payload.info`.
pub(crate) fn write_info(session: &Session, json: &mut Json) {
    let mut dice = session.dice("info");
    json.open();
    json.text("reason", dice.pick(REASONS));
    json.text(
        "revision",
        &format!(
            "https://source.example/rev/{:016x}",
            session.build.date.as_yyyymmdd()
        ),
    );
    json.boolean("asyncPluginInit", false);
    json.raw_member("timezoneOffset", if dice.chance(0.5) { "60" } else { "-360" });
    json.raw_member("previousBuildId", "null");
    for key in [
        "sessionId",
        "subsessionId",
        "previousSessionId",
        "previousSubsessionId",
    ] {
        json.text(key, &dice.uuid());
    }
    json.number("subsessionCounter", dice.between(1, 9));
    json.number("profileSubsessionCounter", dice.between(1, 4_000));
    json.text("sessionStartDate", &session.start_date());
    json.text("subsessionStartDate", &session.start_date());
    json.number("sessionLength", session.length);
    json.number("subsessionLength", session.length - session.length / 5);
    json.text("flashVersion", "25.0.0.148");
    json.close();
}
