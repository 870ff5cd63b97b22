//! Settings of the edge and of both listeners, held against each other and against what log and chunks can hold, before anything starts: what
//! does not go together is refused with words.
//!
//! What does not live here: whether a setting can be read at all.

use std::net::{IpAddr, SocketAddr};

use anyhow::ensure;
use service::quantity::ByteSize;

use crate::cli::{EdgeListener, Serve};
use crate::data::Intake;

/// More than any disk has; sums of it stay numbers.
const LOG_BUDGET_MAX: ByteSize = ByteSize(1 << 50);

/// The longest body, as sent or inflated.
const BODY_MAX: ByteSize = ByteSize(edge::BODY_BYTES_MAX as u64);

impl Intake {
    /// Whether log and chunks go together.
    pub(crate) fn compare(&self) -> anyhow::Result<()> {
        let (budget, least) = (self.log_budget, ByteSize(edge::LOG_BYTES_MIN));
        ensure!(
            budget >= least,
            "--log-budget {budget} is too small: room comes back by whole segments, of which a log needs eight; \
             give it {least} at least"
        );
        ensure!(
            budget <= LOG_BUDGET_MAX,
            "--log-budget {budget} is more than any disk holds: give it {LOG_BUDGET_MAX} at most"
        );
        let inflated = self.inflated_limit;
        ensure!(
            inflated <= BODY_MAX,
            "--inflated-limit {inflated} is too large: a record of a chunk holds {BODY_MAX} beside its head; \
             give it {BODY_MAX} at most"
        );
        Ok(())
    }
}

impl EdgeListener {
    /// Whether the listener takes any ping, and none that the log cannot hold.
    pub(crate) fn compare(&self, intake: &Intake) -> anyhow::Result<()> {
        intake.compare()?;
        let body = self.body_limit;
        ensure!(
            body <= BODY_MAX,
            "--body-limit {body} is too large: with its head a ping must fit a frame of the write-ahead log and a record \
             of a chunk; give it {BODY_MAX} at most"
        );
        if body > intake.log_budget {
            tracing::warn!(
                body_limit = %body,
                log_budget = %intake.log_budget,
                "a ping may be larger than the whole write-ahead log: such a one is answered 507 for ever; lower --body-limit or raise --log-budget"
            );
        }
        Ok(())
    }
}

impl Serve {
    /// Whether both listeners can be had, and what holds for the edge alone.
    pub(crate) fn compare(&self) -> anyhow::Result<()> {
        let (edge, api) = (self.edge.edge_listen, self.api.answers.api_listen);
        ensure!(
            !share_an_address(edge, api),
            "--edge-listen {edge} and --api-listen {api} are one address: choose another port for one of them"
        );
        self.edge.compare(&self.data.intake)
    }
}

/// Whether two listeners cannot both be had: one port of one address, or of all addresses. Port 0 is another one each time.
fn share_an_address(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let all_of_both = |ip: IpAddr| ip.is_unspecified() && ip.is_ipv6();
    let overlap = a == b
        || all_of_both(a)
        || all_of_both(b)
        || (a.is_unspecified() || b.is_unspecified()) && a.is_ipv4() == b.is_ipv4();
    one.port() != 0 && one.port() == other.port() && overlap
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::share_an_address;
    use crate::cli::{Cli, Command};

    /// What is said of `highwater serve` with these settings; nothing when it would start.
    fn said(settings: &[&str]) -> Option<String> {
        let words = ["highwater", "serve"].iter().chain(settings);
        let Command::Serve(serve) = Cli::try_parse_from(words).expect("readable").command else {
            unreachable!("it is serve")
        };
        let compared = serve.compare();
        compared.err().map(|error| error.to_string())
    }

    #[test]
    fn what_does_not_go_together_is_refused_and_the_words_name_the_setting_and_the_way_out() {
        for (setting, value, way_out) in [
            ("--body-limit", "66060289B", "63MiB"),
            ("--body-limit", "64MiB", "63MiB"),
            ("--body-limit", "1GiB", "63MiB"),
            ("--body-limit", "18446744073709551615B", "63MiB"),
            ("--inflated-limit", "66060289B", "63MiB"),
            ("--inflated-limit", "1TiB", "63MiB"),
            ("--log-budget", "32767B", "32KiB"),
            ("--log-budget", "2000TiB", "1024TiB"),
        ] {
            let said = said(&[setting, value]).unwrap_or_else(|| panic!("{setting} {value} is taken"));
            assert!(
                said.starts_with(setting) && said.contains(way_out),
                "{setting} {value}: {said}"
            );
        }
    }

    #[test]
    fn zeros_that_serve_nobody_are_no_values() {
        for (setting, value) in [
            ("--body-limit", "0B"),
            ("--inflated-limit", "0B"),
            ("--log-budget", "0B"),
            ("--open-partitions", "0"),
            ("--edge-connections", "0"),
            ("--header-timeout", "0s"),
            ("--body-timeout", "0ms"),
            ("--write-timeout", "0d"),
        ] {
            let refused = Cli::try_parse_from(["highwater", "serve", setting, value]).expect_err(setting);
            assert!(refused.to_string().contains(setting), "{refused}");
        }
    }

    #[test]
    fn what_goes_together_is_taken_to_the_last_byte() {
        for settings in [
            &[][..],
            &["--body-limit", "63MiB", "--inflated-limit", "63MiB"],
            &["--body-limit", "1B", "--inflated-limit", "1B"],
            &["--log-budget", "32KiB"],
            &["--log-budget", "1024TiB"],
            &["--open-partitions", "1", "--edge-connections", "1"],
            &["--header-timeout", "1ms", "--seal-age", "0s"],
        ] {
            assert_eq!(said(settings), None, "{settings:?}");
        }
    }

    #[test]
    fn listeners_share_an_address_where_the_system_would_refuse_the_second() {
        let cases = [
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "127.0.0.1:8081", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:8080", "127.0.0.2:8080", false),
            ("0.0.0.0:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "0.0.0.0:8080", true),
            ("[::]:8080", "127.0.0.1:8080", true),
            ("[::1]:8080", "127.0.0.1:8080", false),
            ("[::1]:8080", "0.0.0.0:8080", false),
            ("[::1]:8080", "[::]:8080", true),
            ("[::ffff:127.0.0.1]:8080", "127.0.0.1:8080", true),
        ];
        for (one, other, shared) in cases {
            let address = |text: &str| text.parse().expect("an address");
            assert_eq!(
                share_an_address(address(one), address(other)),
                shared,
                "{one} {other}"
            );
        }
    }
}
