//! Who works at the gatherers, and what waits for one, in its order. Pure.

use std::collections::VecDeque;

/// Gatherers and jobs.
#[derive(Debug)]
pub(crate) struct GathererQueue<B, J> {
    idle: Vec<B>,
    busy: usize,
    /// How many jobs have come.
    tickets: u64,
    /// Empty while no gatherer is busy.
    waiting: VecDeque<(Ticket, J)>,
}

/// The place of a job among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl<B, J> GathererQueue<B, J> {
    /// Gatherers at which nobody works.
    pub(crate) const fn new(idle: Vec<B>) -> Self {
        Self {
            idle,
            busy: 0,
            tickets: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a job. If nobody works, it is to be begun, at the gatherer that comes with it.
    pub(crate) fn join(&mut self, job: J) -> (Ticket, Option<(B, J)>) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.push_back((ticket, job));
        (ticket, if self.busy == 0 { self.call(ticket) } else { None })
    }

    /// Calls for another gatherer, on behalf of a job: if that one waits still, and a gatherer is idle, the job that waits longest
    /// is to be begun there.
    pub(crate) fn call(&mut self, for_whom: Ticket) -> Option<(B, J)> {
        let (first, _) = self.waiting.front()?;
        if *first > for_whom {
            return None;
        }
        let gatherer = self.idle.pop()?;
        self.busy += 1;
        self.waiting.pop_front().map(|(_, job)| (gatherer, job))
    }

    /// Gives a gatherer back whose job is done, unless another waits: then that is next.
    pub(crate) fn go_on(&mut self, gatherer: B) -> Option<(B, J)> {
        if let Some((_, next)) = self.waiting.pop_front() {
            return Some((gatherer, next));
        }
        self.busy -= 1;
        self.idle.push(gatherer);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(gatherers: usize) -> GathererQueue<usize, char> {
        GathererQueue::new((0..gatherers).rev().collect())
    }

    /// Jobs of these names join; the answer is their tickets, and what was to be begun.
    fn join(queue: &mut GathererQueue<usize, char>, names: &str) -> (Vec<Ticket>, Vec<(usize, char)>) {
        let joined: Vec<_> = names.chars().map(|name| queue.join(name)).collect();
        let begun = joined.iter().filter_map(|(_, begun)| *begun).collect();
        (joined.iter().map(|(ticket, _)| *ticket).collect(), begun)
    }

    #[test]
    fn one_works_while_nobody_calls_for_another_and_takes_all_in_their_order() {
        let mut queue = queue(2);
        assert_eq!(join(&mut queue, "abc").1, [(0, 'a')]);
        assert_eq!(queue.go_on(0), Some((0, 'b')));
        assert_eq!(queue.go_on(0), Some((0, 'c')));
        assert_eq!(queue.go_on(0), None);
        assert_eq!(join(&mut queue, "d").1, [(0, 'd')]);
    }

    #[test]
    fn whoever_is_called_for_takes_what_waits_longest() {
        let mut queue = queue(2);
        let (tickets, _) = join(&mut queue, "abc");
        assert_eq!(queue.call(tickets[2]), Some((1, 'b')));
        assert_eq!(queue.call(tickets[2]), None, "there is no third gatherer");
        assert_eq!(queue.go_on(1), Some((1, 'c')));
    }

    #[test]
    fn a_job_that_waits_no_more_calls_for_nobody() {
        let mut queue = queue(2);
        let (tickets, _) = join(&mut queue, "ab");
        assert_eq!(
            queue.call(tickets[0]),
            None,
            "it is worked on, and b has only just come"
        );
        assert_eq!(queue.go_on(0), Some((0, 'b')));
        join(&mut queue, "c");
        assert_eq!(queue.call(tickets[1]), None);
        assert_eq!(queue.go_on(0), Some((0, 'c')));
        assert_eq!(queue.go_on(0), None);
    }

    #[test]
    fn a_job_that_comes_while_another_bench_is_at_work_is_taken_there() {
        let mut queue = queue(2);
        let (tickets, _) = join(&mut queue, "ab");
        assert_eq!(queue.call(tickets[1]), Some((1, 'b')));
        assert_eq!(queue.go_on(0), None);
        assert_eq!(join(&mut queue, "c").1, []);
        assert_eq!(queue.go_on(1), Some((1, 'c')));
    }

    #[test]
    fn without_a_bench_a_job_waits() {
        assert_eq!(join(&mut queue(0), "a").1, []);
    }
}
