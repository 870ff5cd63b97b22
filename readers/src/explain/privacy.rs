//! What a declaration promises to the users of each source, in plain words.

use std::fmt::Write as _;

use crate::declaration::{Clients, Declaration, Path, Privacy};

/// What is promised, source by source.
#[must_use]
pub fn promises(declaration: &Declaration) -> String {
    let mut words = String::new();
    if !declaration.description.is_empty() {
        push(&mut words, declaration.description.trim());
    }
    for (source, privacy) in declaration.sources.iter().zip(&declaration.privacy) {
        push(&mut words, &format!("\n{source}"));
        let id = declaration.client_id.as_ref();
        let taken_out = privacy.taken_out(id);
        let dropped = |path: &Path| taken_out.iter().any(|dropped| dropped.covers(path));
        let keeps_id = id.filter(|path| !dropped(path));
        let lines = [
            ("Pings", pings(privacy, &taken_out)),
            ("Numbers", numbers(declaration, privacy)),
            ("Identity", identity(id, keeps_id, privacy.clients)),
            ("Erasure", erasure(id, keeps_id, privacy)),
        ];
        for (head, text) in lines {
            push(&mut words, &format!("  {head}: {text}"));
        }
        if declaration.public {
            let text = format!(
                "  Public: sums of at least {} pings are in the public summary.",
                declaration.public_floor
            );
            push(&mut words, &text);
        }
    }
    words
}

fn push(words: &mut String, line: &str) {
    // A text takes all that is written to it.
    let _ = writeln!(words, "{line}");
}

fn how_long(days: Option<i64>, setting: &str) -> String {
    match days {
        None => format!("for as long as the installation keeps them (`{setting}`)"),
        Some(days) => format!(
            "for {}, or less where the installation keeps everything for less",
            in_words(days)
        ),
    }
}

fn in_words(days: i64) -> String {
    match days {
        1 => "a day".to_owned(),
        365 => "a year".to_owned(),
        days if days % 365 == 0 => format!("{} years", days / 365),
        days => format!("{days} days"),
    }
}

/// What goes of each source and when, and from which day on a change counts: a line each, of what is declared.
#[must_use]
pub fn kept(declaration: &Declaration) -> Vec<String> {
    let mut lines = Vec::new();
    for (source, privacy) in declaration.sources.iter().zip(&declaration.privacy) {
        let parts = [
            ("pings go", privacy.keep_pings),
            ("numbers go", privacy.keep_aggregates),
        ];
        for (what, days) in parts {
            lines.extend(days.map(|days| format!("{source}: {what} after {}", in_words(days))));
        }
    }
    let since = declaration
        .since
        .map(|since| format!("a change of this file counts from {since} on: days before keep their numbers"));
    lines.extend(since);
    lines
}

fn pings(privacy: &Privacy, taken_out: &[Path]) -> String {
    let without = match taken_out {
        [] => String::new(),
        paths => {
            let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
            format!(", without {}", paths.join(" and "))
        }
    };
    let time = how_long(privacy.keep_pings, "--keep-pings");
    let unread = if taken_out.is_empty() {
        ""
    } else {
        " A body that cannot be read, so that nothing can be taken out of it, is not kept."
    };
    let then = match privacy.keep_pings {
        Some(_) => {
            " Then they are deleted, those that could not be read or counted among them; of each the document's id stays, by which repeats are known."
        }
        None => "",
    };
    format!("each is kept as it was sent{without}, {time}.{then}{unread}")
}

fn numbers(declaration: &Declaration, privacy: &Privacy) -> String {
    let dimensions: Vec<&str> = declaration
        .dimensions
        .iter()
        .map(|dimension| dimension.name.as_str())
        .collect();
    let by = if dimensions.is_empty() {
        "by day".to_owned()
    } else {
        format!("by day and {}", dimensions.join(", "))
    };
    let time = how_long(privacy.keep_aggregates, "--keep-aggregates");
    let then = match privacy.keep_aggregates {
        Some(_) => " Then only how many pings came each day is left.",
        None => "",
    };
    format!(
        "sums over many pings {by}, in which no single ping can be seen again unless it was alone, {time}.{then}"
    )
}

fn identity(id: Option<&Path>, keeps_id: Option<&Path>, clients: Clients) -> String {
    let Some(id) = id else {
        return "no id is read: users are not counted.".to_owned();
    };
    let counted = match clients {
        Clients::Hashed if keeps_id.is_some() => {
            "users are counted in sketches, in which no id stands".to_owned()
        }
        Clients::Hashed => format!("users are counted by a keyed hash of {id}"),
        Clients::Daily => format!(
            "users are counted by a hash of {id} whose key changes each day, so that days cannot be joined"
        ),
        Clients::None => "users are not counted".to_owned(),
    };
    match keeps_id {
        Some(path) => format!("{counted}; the stored ping keeps the id at {path}."),
        None => format!("{counted}; the id itself is not stored."),
    }
}

fn erasure(id: Option<&Path>, keeps_id: Option<&Path>, privacy: &Privacy) -> String {
    let way = match (id, keeps_id, privacy.clients) {
        (_, Some(path), _) => format!("tell the id at {path}: the pings that hold it are found by it"),
        (Some(_), None, Clients::Hashed) => {
            "tell the id: the pings hold its hash, by which who has this installation's secret finds them, and no id".to_owned()
        }
        (Some(_), None, Clients::Daily) => {
            "the pings hold no id; only who has this installation's secret can find those of an id, each day's by another hash".to_owned()
        }
        _ => "nothing leads from a person to a ping".to_owned(),
    };
    match privacy.keep_pings {
        Some(_) => format!(
            "{way}. All pings go by themselves {}.",
            how_long(privacy.keep_pings, "").replacen("for", "after", 1)
        ),
        None => format!("{way}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_says_what_is_kept_how_long_and_under_which_identity() {
        let text = "$highwater: product/1\nsources: [inky/a, inky/b]\ndescription: Inky.\nclient_id: { path: /id }\ndimensions: { os: { path: /os } }\npublic: true\nkeep: { pings: 7d, aggregates: 2y }\ndrop: [/id, /host]\nby_source: { inky/b: { clients: daily, drop: [/host] } }\n";
        let declaration = Declaration::read(text).expect("a declaration");
        let expected = "Inky.

inky/a
  Pings: each is kept as it was sent, without /id and /host, for 7 days, or less where the installation keeps everything for less. Then they are deleted, those that could not be read or counted among them; of each the document's id stays, by which repeats are known. A body that cannot be read, so that nothing can be taken out of it, is not kept.
  Numbers: sums over many pings by day and os, in which no single ping can be seen again unless it was alone, for 2 years, or less where the installation keeps everything for less. Then only how many pings came each day is left.
  Identity: users are counted by a keyed hash of /id; the id itself is not stored.
  Erasure: tell the id: the pings hold its hash, by which who has this installation's secret finds them, and no id. All pings go by themselves after 7 days, or less where the installation keeps everything for less.
  Public: sums of at least 20 pings are in the public summary.

inky/b
  Pings: each is kept as it was sent, without /host and /id, for 7 days, or less where the installation keeps everything for less. Then they are deleted, those that could not be read or counted among them; of each the document's id stays, by which repeats are known. A body that cannot be read, so that nothing can be taken out of it, is not kept.
  Numbers: sums over many pings by day and os, in which no single ping can be seen again unless it was alone, for 2 years, or less where the installation keeps everything for less. Then only how many pings came each day is left.
  Identity: users are counted by a hash of /id whose key changes each day, so that days cannot be joined; the id itself is not stored.
  Erasure: the pings hold no id; only who has this installation's secret can find those of an id, each day's by another hash. All pings go by themselves after 7 days, or less where the installation keeps everything for less.
  Public: sums of at least 20 pings are in the public summary.
";
        assert_eq!(promises(&declaration), expected);
    }

    #[test]
    fn what_goes_and_when_is_a_line_each() {
        let text = "$highwater: product/1\nsources: [inky/a, inky/b]\nsince: 2026-10-01\nkeep: { pings: 1d, aggregates: 2y }\nby_source: { inky/b: { keep: { pings: 5w } } }\n";
        let declaration = Declaration::read(text).expect("a declaration");
        let expected = [
            "inky/a: pings go after a day",
            "inky/a: numbers go after 2 years",
            "inky/b: pings go after 35 days",
            "inky/b: numbers go after 2 years",
            "a change of this file counts from 20261001 on: days before keep their numbers",
        ];
        assert_eq!(kept(&declaration), expected);
        let nothing = Declaration::read("$highwater: product/1\nsources: [inky/a]\n").expect("a declaration");
        assert!(kept(&nothing).is_empty());
    }

    #[test]
    fn without_an_id_nobody_is_counted() {
        let declaration =
            Declaration::read("$highwater: product/1\nsources: [inky/a]\n").expect("a declaration");
        let words = promises(&declaration);
        assert!(words.contains("no id is read: users are not counted."), "{words}");
        assert!(words.contains("(`--keep-pings`)"), "{words}");
        assert!(
            words.contains("nothing leads from a person to a ping."),
            "{words}"
        );
    }
}
