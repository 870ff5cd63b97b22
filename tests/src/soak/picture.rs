//! The latencies of a run as a picture: SVG of our own, which follows the reader's light or dark scheme.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::report::quantiles;

/// Size of the picture, and of the field in it.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 48.0;
const RIGHT: f64 = 840.0;
const BOTTOM: f64 = 350.0;

/// Colours by the reader's scheme.
const STYLE: &str = "
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 }
.away { fill: #cf222e; fill-opacity: .22 }
path { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.p50 { stroke: #0969da } .p99 { stroke: #bc4c00 } .max { stroke: #8250df; stroke-width: 1 }
.l50 { fill: #0969da } .l99 { fill: #bc4c00 } .lmax { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #8d96a0 } .grid { stroke: #30363d } .away { fill: #ff7b72; fill-opacity: .3 }
.p50 { stroke: #58a6ff } .p99 { stroke: #f0883e } .max { stroke: #bc8cff }
.l50 { fill: #58a6ff } .l99 { fill: #f0883e } .lmax { fill: #bc8cff }
}";

/// What is beside the latencies.
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) below: String,
    pub(super) conditions: String,
    /// How long the run was.
    pub(super) seconds: f64,
    /// How long a slice of time is, in seconds.
    pub(super) slice: f64,
    /// When nobody was there, in seconds.
    pub(super) away: Vec<(f64, f64)>,
}

impl Picture {
    /// The picture of latencies in milliseconds by slice of time.
    pub(super) fn svg(&self, latencies: &BTreeMap<u64, Vec<f32>>) -> String {
        let points: Vec<(f64, [f32; 3])> = latencies
            .iter()
            .map(|(slice, latencies)| ((*slice as f64 + 0.5) * self.slice, quantiles(latencies)))
            .collect();
        let all = || points.iter().flat_map(|(_, three)| three.iter().copied());
        let scale = Scale {
            seconds: self.seconds.max(1.0),
            lowest: all().fold(1.0, f32::min).max(0.01).log10().floor().into(),
            highest: all().fold(10.0, f32::max).log10().ceil().into(),
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<title>{0}</title>\n<style>{STYLE}</style>\n<text class=\"title\" x=\"{LEFT}\" y=\"28\">{0}</text>\n",
            escaped(&self.title)
        );
        for (begin, end) in &self.away {
            let (from, to) = (scale.x(*begin), scale.x(*end));
            let width = (to - from).max(1.0);
            let height = BOTTOM - TOP;
            line(
                &mut svg,
                &format!(
                    "<rect class=\"away\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>"
                ),
            );
        }
        scale.axes(&mut svg);
        for (which, name, class, label) in [
            (2, "max", "max", "lmax"),
            (1, "p99", "p99", "l99"),
            (0, "p50", "p50", "l50"),
        ] {
            curve(
                &mut svg,
                &scale,
                points.iter().map(|(at, three)| (*at, three[which])),
                class,
            );
            if let Some((_, three)) = points.last() {
                let y = scale.y(three[which]) + 4.0;
                line(
                    &mut svg,
                    &format!(
                        "<text class=\"{label}\" x=\"{:.1}\" y=\"{y:.1}\">{name}</text>",
                        RIGHT + 6.0
                    ),
                );
            }
        }
        let notes = [
            "Milliseconds from when a ping was due (open load) to its 200, by slice of time; logarithmic. Red: kill -9 until it answers again.",
            &self.below,
            &self.conditions,
        ];
        for (nth, note) in notes.iter().enumerate() {
            let y = BOTTOM + 46.0 + 17.0 * nth as f64;
            line(
                &mut svg,
                &format!(
                    "<text class=\"small\" x=\"{LEFT}\" y=\"{y}\">{}</text>",
                    escaped(note)
                ),
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// From seconds and milliseconds to places.
struct Scale {
    seconds: f64,
    /// Ends of the axis of latencies, as powers of ten.
    lowest: f64,
    highest: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.seconds).clamp(0.0, 1.0)
    }

    fn y(&self, millis: f32) -> f64 {
        let share = (f64::from(millis.max(0.001)).log10() - self.lowest) / (self.highest - self.lowest);
        BOTTOM - (BOTTOM - TOP) * share.clamp(0.0, 1.0)
    }

    fn axes(&self, svg: &mut String) {
        for power in self.lowest as i32..=self.highest as i32 {
            let y = self.y(10_f32.powi(power));
            let name = match power {
                ..=-1 => format!("{} µs", 10_i64.pow((power + 3).unsigned_abs())),
                0..=2 => format!("{} ms", 10_i64.pow(power.unsigned_abs())),
                _ => format!("{} s", 10_i64.pow((power - 3).unsigned_abs())),
            };
            line(
                svg,
                &format!("<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"),
            );
            line(
                svg,
                &format!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                    LEFT - 8.0,
                    y + 4.0
                ),
            );
        }
        let minutes = self.seconds / 60.0;
        let step = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0]
            .into_iter()
            .find(|step| minutes / step <= 10.0)
            .unwrap_or(60.0);
        let mut at = 0.0;
        while at <= minutes {
            let x = self.x(at * 60.0);
            line(
                svg,
                &format!(
                    "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{at} min</text>",
                    BOTTOM + 20.0
                ),
            );
            at += step;
        }
    }
}

fn curve(svg: &mut String, scale: &Scale, points: impl Iterator<Item = (f64, f32)>, class: &str) {
    let mut path = String::new();
    for (nth, (at, millis)) in points.enumerate() {
        let letter = if nth == 0 { 'M' } else { 'L' };
        write!(path, "{letter}{:.1} {:.1}", scale.x(at), scale.y(millis)).expect("text");
    }
    line(svg, &format!("<path class=\"{class}\" d=\"{path}\"/>"));
}

fn line(svg: &mut String, text: &str) {
    svg.push_str(text);
    svg.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
