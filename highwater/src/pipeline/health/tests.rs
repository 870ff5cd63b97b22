//! A row of the table of heartbeats each: the cause, the check that tells it, and what a load balancer is answered.

use query::health::HealthReport;
use service::dockerflow::answer;

use super::*;

#[derive(Debug)]
struct Fixed(Arc<HealthReport>);

impl HealthSource for Fixed {
    fn health(&self) -> Arc<HealthReport> {
        Arc::clone(&self.0)
    }
}

fn sound() -> EdgeStatus {
    EdgeStatus {
        accepted: 0,
        waiting: 0,
        chunked: 0,
        newest: 0,
        log_bytes: 0,
        log_bytes_max: 1,
        open_partitions: 0,
        seals: 0,
        oldest_waiting: None,
        stuck_plans: 0,
        oldest_stuck: None,
        damaged: 0,
        has_room: true,
        writable: true,
        lost: None,
        takes_today: true,
        failed: None,
    }
}

fn api(databases: Option<&str>, ending: Shutdown) -> u16 {
    let mut report = HealthReport::default();
    report.numbers.databases = databases.map(str::to_owned);
    let health = of_databases(&Arc::new(Fixed(Arc::new(report))), ending);
    let request = http::Request::get("/__heartbeat__").body(()).expect("a request");
    answer(&request, &health).expect("an answer").status().as_u16()
}

#[test]
fn a_node_whose_log_works_and_has_room_stays_in() {
    let status = EdgeStatus {
        damaged: 3,
        seals: 8,
        ..sound()
    };
    assert_eq!((writes(&status), room(&status)), (Check::Ok, Check::Ok));
}

#[test]
fn a_log_that_is_not_where_it_was_takes_the_node_out() {
    let status = EdgeStatus {
        lost: Some("another folder, or none, is where the log was"),
        ..sound()
    };
    assert!(matches!(writes(&status), Check::Unavailable(words) if words.contains("where the log was")));
}

#[test]
fn a_log_that_cannot_be_written_takes_the_node_out() {
    let status = EdgeStatus {
        writable: false,
        ..sound()
    };
    assert!(matches!(writes(&status), Check::Unavailable(_)));
}

#[test]
fn a_log_without_room_takes_the_node_out_with_507() {
    let status = EdgeStatus {
        has_room: false,
        ..sound()
    };
    assert!(matches!(room(&status), Check::Full(_)));
}

#[test]
fn a_clock_below_the_floor_takes_the_node_out() {
    let status = EdgeStatus {
        takes_today: false,
        ..sound()
    };
    assert_eq!(clock(&sound()), Check::Ok);
    assert!(matches!(clock(&status), Check::Unavailable(_)));
}

#[test]
fn a_part_that_panicked_takes_the_node_out_before_the_process_ends() {
    let status = EdgeStatus {
        failed: Some("a seal panicked"),
        ..sound()
    };
    assert!(matches!(writes(&status), Check::Failed(_)));
}

#[test]
fn a_process_that_ends_takes_both_listeners_out() {
    let (trigger, ending) = Shutdown::new();
    assert_eq!((going_on(&ending), api(None, ending.clone())), (Check::Ok, 200));
    trigger.pull();
    assert!(matches!(going_on(&ending), Check::Unavailable(_)));
    assert_eq!(api(None, ending), 503);
}

#[test]
fn databases_that_are_gone_take_the_api_out_and_only_it() {
    let (_trigger, ending) = Shutdown::new();
    assert_eq!(api(Some("index: closed"), ending), 503);
}
