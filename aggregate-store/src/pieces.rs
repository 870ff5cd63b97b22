//! An answer of several epochs of one source, each of its own days, made of their answers. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ping::UNKNOWN;

use crate::catalogue::EXAMPLES_MAX;
use crate::{
    AboutSource, CellQuery, Days, Dimension, Filter, FilterOptions, Listed, Piece, SeriesRow, StoredMetric,
    UserDay, UserQuery,
};

/// Condition of a question that holds on some days only; none where that is all of them.
pub(crate) fn on(days: Days) -> Option<Filter> {
    let text = |day: ping::SubmissionDate| day.to_string();
    (days != Days::ALL).then(|| {
        Filter::between(
            Dimension::SUBMISSION_DATE,
            days.first.map(text),
            days.last.map(text),
        )
    })
}

/// The question to one of the epochs.
pub(crate) fn of_cells(query: &CellQuery, piece: &Piece) -> CellQuery {
    let mut query = query.clone();
    query.source = piece.source.clone();
    query.filters.extend(on(piece.days));
    query
}

/// The question to one of the epochs; `None` when it asks for none of its days.
pub(crate) fn of_users(query: &UserQuery, piece: &Piece) -> Option<UserQuery> {
    let from = piece.days.first.map_or(query.from, |first| first.max(query.from));
    let to = piece.days.last.map_or(query.to, |last| last.min(query.to));
    (from <= to).then(|| UserQuery {
        source: piece.source.clone(),
        from,
        to,
        ..query.clone()
    })
}

/// All values, ascending; of more than `limit` the first.
pub(crate) fn listed<T: Ord>(answers: Vec<Listed<T>>, limit: usize) -> Listed<T> {
    united(answers, limit, false)
}

/// The same; of more than `limit` the last.
pub(crate) fn listed_last<T: Ord>(answers: Vec<Listed<T>>, limit: usize) -> Listed<T> {
    united(answers, limit, true)
}

fn united<T: Ord>(answers: Vec<Listed<T>>, limit: usize, is_last: bool) -> Listed<T> {
    let left_out: u64 = answers.iter().map(|answer| answer.left_out).sum();
    let values: BTreeSet<T> = answers.into_iter().flat_map(|answer| answer.values).collect();
    let beyond = values.len().saturating_sub(limit);
    let skipped = if is_last { beyond } else { 0 };
    Listed {
        values: values.into_iter().skip(skipped).take(limit).collect(),
        left_out: left_out + beyond as u64,
    }
}

/// All lists, each ascending, of at most `limit` values.
pub(crate) fn filter_options(answers: Vec<FilterOptions>, limit: usize) -> FilterOptions {
    fn unite<T: Ord>(mine: &mut Vec<T>, theirs: Vec<T>) {
        let both: BTreeSet<T> = std::mem::take(mine).into_iter().chain(theirs).collect();
        *mine = both.into_iter().collect();
    }
    fn cut<T>(list: &mut Vec<T>, limit: usize, left_out: &mut u64) {
        *left_out += list.len().saturating_sub(limit) as u64;
        list.truncate(limit);
    }
    let mut all = FilterOptions::default();
    for answer in answers {
        unite(&mut all.metrics, answer.metrics);
        unite(&mut all.processes, answer.processes);
        unite(&mut all.os, answer.os);
        for (dimension, values) in answer.others {
            unite(all.others.entry(dimension).or_default(), values);
        }
        all.left_out += answer.left_out;
    }
    let FilterOptions {
        metrics,
        processes,
        os,
        others,
        left_out,
    } = &mut all;
    cut(metrics, limit, left_out);
    cut(processes, limit, left_out);
    cut(os, limit, left_out);
    for values in others.values_mut() {
        cut(values, limit, left_out);
    }
    all
}

/// Rows of one group, label and layout added up, ascending.
pub(crate) fn series(answers: Vec<Vec<SeriesRow>>) -> Vec<SeriesRow> {
    let mut rows: BTreeMap<_, SeriesRow> = BTreeMap::new();
    for row in answers.into_iter().flatten() {
        let key = (row.group.clone(), row.label.clone(), row.layout);
        match rows.get_mut(&key) {
            Some(sum) => {
                sum.cell.add(&row.cell);
                sum.plausible += row.plausible;
                if sum.newest_build == UNKNOWN
                    || (row.newest_build != UNKNOWN && row.newest_build > sum.newest_build)
                {
                    sum.newest_build = row.newest_build;
                }
            }
            None => drop(rows.insert(key, row)),
        }
    }
    rows.into_values().filter(|row| !row.cell.is_zero()).collect()
}

/// What all of them state, on the days on which each is in use.
pub(crate) fn about(answers: Vec<(Days, AboutSource)>) -> Option<AboutSource> {
    let mut all: Option<AboutSource> = None;
    for (days, about) in answers {
        let first_day = days
            .first
            .map_or(about.first_day, |first| first.max(about.first_day));
        let last_day = days.last.map_or(about.last_day, |last| last.min(about.last_day));
        if first_day > last_day {
            continue;
        }
        let before = all.take();
        let dimensions = before.iter().flat_map(|all| all.dimensions.clone());
        let dimensions: BTreeSet<String> = dimensions.chain(about.dimensions).collect();
        all = Some(AboutSource {
            dimensions: dimensions.into_iter().collect(),
            first_day: before
                .as_ref()
                .map_or(first_day, |all| all.first_day.min(first_day)),
            last_day: before.as_ref().map_or(last_day, |all| all.last_day.max(last_day)),
        });
    }
    all
}

/// The first `limit` metrics, ascending.
pub(crate) fn metrics(answers: Vec<Vec<StoredMetric>>, limit: usize) -> Vec<StoredMetric> {
    let mut metrics: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for metric in answers.into_iter().flatten() {
        metrics.entry(metric.metric).or_default().extend(metric.examples);
    }
    let metrics = metrics.into_iter().take(limit);
    let metrics = metrics.map(|(metric, examples)| StoredMetric {
        metric,
        examples: examples.into_iter().take(EXAMPLES_MAX).collect(),
    });
    metrics.collect()
}

/// Days of epochs that have no day in common, ascending by day and group, those of all other groups last on each day.
pub(crate) fn users(answers: Vec<Vec<UserDay>>) -> Vec<UserDay> {
    let mut days: Vec<UserDay> = answers.into_iter().flatten().collect();
    // Stable: each day is of one answer, in whose order it stays.
    days.sort_by_key(|day| day.date);
    days
}
