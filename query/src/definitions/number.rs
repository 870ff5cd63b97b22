//! Numbers in Histograms.json: digits, products and sums of integers, or a named constant.

use serde_json::Value;

/// Constants of the browser's sources that stand in old definition files in place of a number.
const NAMED: [(&str, i64); 2] = [
    ("JS::gcreason::NUM_TELEMETRY_REASONS", 101),
    ("mozilla::StartupTimeline::MAX_EVENT_ID", 12),
];

/// The number a field says, such as `16 * 1024`, `"80 + 1"` or `10`; `None` when it says none.
pub(super) fn read(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text
            .split('+')
            .try_fold(0_i64, |sum, term| sum.checked_add(product(term)?)),
        _ => None,
    }
}

fn product(term: &str) -> Option<i64> {
    term.split('*').try_fold(1_i64, |product, factor| {
        let factor = factor.trim();
        let named = NAMED
            .iter()
            .find(|(name, _)| *name == factor)
            .map(|(_, number)| *number);
        product.checked_mul(named.or_else(|| factor.parse().ok())?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn products_sums_and_named_constants_are_numbers() {
        assert_eq!(read(&json!(7)), Some(7));
        assert_eq!(read(&json!("16 * 1024 * 1024")), Some(16 * 1024 * 1024));
        assert_eq!(read(&json!("80 + 1")), Some(81));
        assert_eq!(read(&json!("2 * 3 + 4")), Some(10));
        assert_eq!(read(&json!("JS::gcreason::NUM_TELEMETRY_REASONS")), Some(101));
        assert_eq!(read(&json!("9223372036854775807 * 2")), None);
        assert_eq!(read(&json!("many")), None);
        assert_eq!(read(&json!(1.5)), None);
    }
}
