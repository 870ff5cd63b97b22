//! Who works at the benches, and what waits for one, in its order. Pure.

use std::collections::VecDeque;

/// Benches and jobs.
#[derive(Debug)]
pub(crate) struct BenchQueue<B, J> {
    idle: Vec<B>,
    busy: usize,
    /// Empty while no bench is busy.
    waiting: VecDeque<J>,
}

impl<B, J> BenchQueue<B, J> {
    /// Benches at which nobody works.
    pub(crate) const fn new(idle: Vec<B>) -> Self {
        Self {
            idle,
            busy: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a job. If nobody works, it is to be begun, at the bench that comes with it.
    pub(crate) fn join(&mut self, job: J) -> Option<(B, J)> {
        self.waiting.push_back(job);
        if self.busy == 0 { self.begin() } else { None }
    }

    /// The job that waits longest, and another bench for it, if there are both.
    pub(crate) fn begin(&mut self) -> Option<(B, J)> {
        let (first, bench) = (self.waiting.pop_front()?, self.idle.pop());
        match bench {
            Some(bench) => {
                self.busy += 1;
                Some((bench, first))
            }
            None => {
                self.waiting.push_front(first);
                None
            }
        }
    }

    /// Gives a bench back whose job is done, unless another waits: then that is next.
    pub(crate) fn go_on(&mut self, bench: B) -> Option<(B, J)> {
        if let Some(next) = self.waiting.pop_front() {
            return Some((bench, next));
        }
        self.busy -= 1;
        self.idle.push(bench);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(benches: usize) -> BenchQueue<usize, char> {
        BenchQueue::new((0..benches).rev().collect())
    }

    #[test]
    fn one_works_while_nobody_calls_for_another_and_takes_all_in_their_order() {
        let mut queue = queue(2);
        assert_eq!(queue.join('a'), Some((0, 'a')));
        assert_eq!((queue.join('b'), queue.join('c')), (None, None));
        assert_eq!(queue.go_on(0), Some((0, 'b')));
        assert_eq!(queue.go_on(0), Some((0, 'c')));
        assert_eq!(queue.go_on(0), None);
        assert_eq!(queue.join('d').map(|(_, job)| job), Some('d'));
    }

    #[test]
    fn whoever_is_called_for_takes_what_waits_longest() {
        let mut queue = queue(2);
        queue.join('a');
        queue.join('b');
        queue.join('c');
        assert_eq!(queue.begin(), Some((1, 'b')));
        assert_eq!(queue.begin(), None, "there is no third bench");
        assert_eq!(queue.go_on(1), Some((1, 'c')));
    }

    #[test]
    fn nobody_is_called_for_when_nothing_waits() {
        let mut queue = queue(2);
        queue.join('a');
        assert_eq!(queue.begin(), None);
        assert_eq!(queue.go_on(0), None);
    }

    #[test]
    fn a_job_waits_on_when_its_first_bench_is_given_back_while_another_is_at_work() {
        let mut queue = queue(2);
        queue.join('a');
        queue.join('b');
        queue.begin();
        assert_eq!(queue.go_on(0), None);
        assert_eq!(
            queue.join('c'),
            None,
            "the other bench is at work, and goes on with it"
        );
        assert_eq!(queue.go_on(1), Some((1, 'c')));
    }

    #[test]
    fn without_a_bench_a_job_waits() {
        assert_eq!(queue(0).join('a'), None);
    }
}
