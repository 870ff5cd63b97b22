//! Everything at once: load from one side, the plan's actions from the other.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::commands::{Commands, Files};
use super::document::document;
use super::ledger::Ledger;
use super::load::{Load, StopAtLast};
use super::options::Options;
use super::plan::{Action, Plan};
use super::process::Process;
use super::report::{Outcome, say};
use super::stage::Stage;
use super::{conditions, report, verdict};
use crate::program::thread_sleep;

/// Connections of the load: so many wait at most when the program stands still.
const SENDERS: usize = 24;

/// The bound on memory of one life: the fold's layer (`--aggregates-memory`, 256 MiB at the most here), and as much
/// again for everything else at this load.
pub(super) const MEMORY_MAX: u64 = 512 << 20;

/// Runs the soak, and says what came of it.
pub fn mixed(options: &Options) -> Outcome {
    say(&format!(
        "soak of {} s at {} pings a second, HIGHWATER_SEED={} (or --seed); {}",
        options.length.as_secs(),
        options.rate,
        options.seed,
        conditions::conditions()
    ));
    // Built before the time begins to count.
    crate::highwater();
    let stage = Stage::set(options.own_room, true);
    for left_out in &stage.diary().left_out {
        say(&format!("left out: {left_out}"));
    }
    let (ledger, files) = (Ledger::new(Duration::from_secs(60)), Files::default());
    let load = Load::new(&stage.target, &ledger, Some(options.rate), 0);
    thread::scope(|scope| {
        let stop = StopAtLast(&load);
        for _ in 0..SENDERS {
            scope.spawn(|| load.send(0, |ticket| document(options.seed, ticket)));
        }
        let mut commands = Commands::new(scope, &stage, &files);
        Conductor {
            stage: &stage,
            plan: Plan::new(options.seed),
            process: None,
        }
        .conduct(&load, options.length, &mut commands);
        drop(stop);
    });
    let verdict = verdict::verdict(&stage, &ledger, || files.finish(&stage, &ledger));
    report::mixed(stage, &ledger, &verdict)
}

/// Who does what the plan says.
struct Conductor<'a> {
    stage: &'a Stage,
    plan: Plan,
    process: Option<Process>,
}

impl Conductor<'_> {
    fn conduct(mut self, load: &Load<'_>, length: Duration, commands: &mut Commands<'_, '_>) {
        self.start();
        let mut minutes = 0;
        while self.process.is_some() {
            let (pause, action) = self.plan.next();
            thread_sleep(pause);
            if load.elapsed() >= length {
                break;
            }
            if load.elapsed().as_secs() / 60 > minutes {
                minutes = load.elapsed().as_secs() / 60;
                let acknowledged = load.ledger.entries().acknowledged();
                say(&format!("minute {minutes}: {acknowledged} acknowledged"));
            }
            self.look_after();
            if self.process.is_some() {
                self.perform(&action, commands);
            }
        }
        commands.wait();
        if let Some(process) = self.process.take() {
            // Its end is one more kill, in the middle of the load.
            self.stage.note("kill");
            self.stage.kill(process);
        }
    }

    /// Notices an end that nobody wished.
    fn look_after(&mut self) {
        let ended = self.process.as_mut().and_then(Process::has_ended);
        if let Some(status) = ended {
            let lines = self.stage.last_lines();
            self.stage
                .wrong(format!("the program ended by itself: {status}\n{lines}"));
            self.process = None;
            self.start();
        }
    }

    fn start(&mut self) {
        let settings = self.plan.settings();
        match self.stage.start(&settings) {
            Ok(process) => self.process = Some(process),
            Err(words) => self
                .stage
                .wrong(format!("it {words}\nwith {}", settings.join(" "))),
        }
    }

    fn kill(&mut self, commands: &mut Commands<'_, '_>) {
        if let Some(process) = self.process.take() {
            self.stage.kill(process);
        }
        commands.wait();
    }

    fn perform(&mut self, action: &Action, commands: &mut Commands<'_, '_>) {
        let stage = self.stage;
        match action {
            Action::Kill => {
                stage.note("kill");
                self.kill(commands);
                self.start();
            }
            Action::Terminate => {
                stage.note("SIGTERM");
                if let Some(process) = self.process.take() {
                    stage.terminate(process);
                }
                commands.wait();
                self.start();
            }
            Action::StoreAway(length, kill) => {
                stage.note("store away");
                stage.store_away();
                self.under_pressure(*length, *kill, commands, Stage::store_back);
            }
            Action::DiskFull(length, kill) => {
                if let Some(room) = &stage.room {
                    stage.note("disk full");
                    room.fill();
                    self.under_pressure(*length, *kill, commands, |_| room.free());
                }
            }
            Action::Clock(seconds) => {
                if let Some(faults) = &stage.faults {
                    stage.note("clock step");
                    faults.set_clock(*seconds);
                }
            }
            Action::Pause(length) => {
                stage.note("SIGSTOP, SIGCONT");
                if let Some(process) = &self.process {
                    process.signal(Signal::STOP);
                    thread_sleep(*length);
                    process.signal(Signal::CONT);
                }
            }
            Action::Command(name) => commands.begin(name),
            Action::Import(lines) => commands.begin_import(*lines),
        }
    }

    /// For a while something is not as it should be; perhaps the program is killed before it is again.
    fn under_pressure(
        &mut self,
        length: Duration,
        kill: bool,
        commands: &mut Commands<'_, '_>,
        relieve: impl FnOnce(&Stage),
    ) {
        thread_sleep(length);
        self.look_after_the_living();
        if kill {
            self.stage.note("kill");
            if let Some(process) = self.process.take() {
                self.stage.kill(process);
            }
        }
        relieve(self.stage);
        self.stage.note("relief");
        if kill {
            commands.wait();
            self.start();
        }
    }

    /// Under pressure, too, it lives.
    fn look_after_the_living(&mut self) {
        let ended = self.process.as_mut().and_then(Process::has_ended);
        if let Some(status) = ended {
            let lines = self.stage.last_lines();
            self.stage
                .wrong(format!("the program ended under pressure: {status}\n{lines}"));
        }
    }
}
