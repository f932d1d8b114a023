//! Charts as SVG that stands in the page. Each has a title, and each mark in it tells its value when pointed at.

use crate::expectations::Verdict;
use crate::report::PastRun;
use crate::view::markup::escaped;

const WIDTH: f64 = 400.0;

/// One mark of a trend.
pub(super) struct Mark {
    /// What is drawn.
    pub(super) value: Option<f64>,
    pub(super) verdict: Verdict,
    /// What it tells when pointed at.
    pub(super) tip: String,
}

/// A trend over runs.
pub(super) struct Trend {
    /// What is drawn, in words.
    pub(super) title: String,
    pub(super) marks: Vec<Mark>,
    /// The least and the greatest value that pass.
    pub(super) bounds: [Option<f64>; 2],
    /// How values are written.
    pub(super) unit: Unit,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A share of rows.
    Share,
    /// A whole number.
    Count,
    /// Any number.
    Number,
    /// Seconds.
    Age,
}

impl Unit {
    /// A value as people read it.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Self::Share => format!("{} %", plain(value * 100.0)),
            Self::Count => whole(value),
            Self::Number if value.abs() >= 1e4 && value.fract() == 0.0 && value.abs() < 1e15 => whole(value),
            Self::Number => plain(value),
            Self::Age => match value.abs() {
                s if s < 120.0 => format!("{value:.0} s"),
                s if s < 7_200.0 => format!("{:.0} min", value / 60.0),
                s if s < 172_800.0 => format!("{:.0} h", value / 3_600.0),
                _ => format!("{:.0} days", value / 86_400.0),
            },
        }
    }
}

fn whole(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and below 2^53")]
    let digits = super::super::count(value.abs().round() as u64);
    if value < 0.0 { format!("-{digits}") } else { digits }
}

/// A number with as many digits as a label has room for.
fn plain(value: f64) -> String {
    let text = match value.abs() {
        0.0 => return "0".to_owned(),
        size if !(1e-4..1e9).contains(&size) => return format!("{value:.2e}"),
        size if size < 1.0 => format!("{value:.4}"),
        size if size < 1_000.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

impl Trend {
    /// The trend: a line where the value changes, otherwise only how the runs came out.
    pub(super) fn svg(&self) -> String {
        let values = || self.marks.iter().filter_map(|mark| mark.value);
        let (low, high) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if high > low { self.line(low, high) } else { self.strip() }
    }

    fn head(&self, height: u32, words: &str) -> String {
        let title = escaped(&format!("{}{words}", self.title));
        format!("<svg class=\"trend\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{title}</title>")
    }

    /// How many came out how, in words.
    fn words(&self) -> String {
        let count = |verdict| self.marks.iter().filter(|mark| mark.verdict == verdict).count();
        let told = [Verdict::Passed, Verdict::Warned, Verdict::Failed, Verdict::Errored]
            .map(|verdict| (count(verdict), super::word(Some(verdict))));
        let told: Vec<String> = told
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!(", last {} runs, oldest first: {}", self.marks.len(), told.join(", "))
    }

    fn strip(&self) -> String {
        const HEIGHT: f64 = 24.0;
        let mut out = self.head(24, &self.words());
        let each = slot(self.marks.len());
        for (index, mark) in self.marks.iter().enumerate() {
            // What did not pass is taller: colour is not all that tells it.
            let height = match mark.verdict {
                Verdict::Passed => 10.0,
                Verdict::Warned => 16.0,
                Verdict::Failed | Verdict::Errored => HEIGHT,
            };
            let (x, width) = (position(index, each), each - 1.5);
            out.push_str(&format!(
                "<rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"1\"><title>{}</title></rect>",
                super::word(Some(mark.verdict)),
                HEIGHT - height,
                escaped(&mark.tip),
            ));
        }
        out.push_str("</svg>");
        out
    }

    fn line(&self, low: f64, high: f64) -> String {
        const TOP: f64 = 10.0;
        const BOTTOM: f64 = 82.0;
        const LEFT: f64 = 58.0;
        let reach = high - low;
        // Bounds far away would press the line flat.
        let near = |bound: &f64| *bound >= low - reach && *bound <= high + reach;
        let bounds: Vec<f64> = self.bounds.into_iter().flatten().filter(near).collect();
        let mut floor = bounds.iter().copied().fold(low, f64::min);
        let ceiling = bounds.iter().copied().fold(high, f64::max);
        if self.unit == Unit::Share {
            floor = 0.0;
        }
        let span = ceiling - floor;
        let y = |value: f64| BOTTOM - (value - floor) / span * (BOTTOM - TOP);
        let last = as_f64(self.marks.len().saturating_sub(1).max(1));
        let x = |index: usize| LEFT + as_f64(index) / last * (WIDTH - LEFT - 8.0);
        let mut out = self.head(92, &self.words());
        for value in [floor, ceiling] {
            out.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{WIDTH}\"/><text x=\"{1}\" y=\"{2:.1}\">{3}</text>",
                y(value),
                LEFT - 6.0,
                y(value) + 3.5,
                escaped(&self.unit.text(value)),
            ));
        }
        for bound in bounds {
            let told = escaped(&self.unit.text(bound));
            out.push_str(&format!(
                "<path class=\"bound\" d=\"M{LEFT} {:.1}H{WIDTH}\"><title>bound: {told}</title></path>",
                y(bound),
            ));
        }
        // A run without a value breaks the line.
        let mut path = String::new();
        let mut drawing = false;
        for (index, mark) in self.marks.iter().enumerate() {
            if let Some(value) = mark.value {
                path.push_str(&format!("{}{:.1} {:.1}", if drawing { "L" } else { "M" }, x(index), y(value)));
            }
            drawing = mark.value.is_some();
        }
        out.push_str(&format!("<path class=\"line\" d=\"{path}\"/>"));
        for (index, mark) in self.marks.iter().enumerate() {
            let (x, y) = (x(index), y(mark.value.unwrap_or(floor)));
            let tip = escaped(&mark.tip);
            let shape = match mark.verdict {
                Verdict::Passed => format!("<circle class=\"passed\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\">"),
                verdict => {
                    // A triangle for a warning, a diamond for the rest.
                    let d = match verdict {
                        Verdict::Warned => "l4.5 8h-9z",
                        _ => "l4.5 4.5-4.5 4.5-4.5-4.5z",
                    };
                    let word = super::word(Some(verdict));
                    format!("<path class=\"{word}\" d=\"M{x:.1} {:.1}{d}\">", y - 4.5)
                }
            };
            let end = if mark.verdict == Verdict::Passed { "circle" } else { "path" };
            out.push_str(&format!("{shape}<title>{tip}</title></{end}>"));
        }
        out.push_str("</svg>");
        out
    }
}

/// The room of one of several bars. A few are as narrow as many.
fn slot(count: usize) -> f64 {
    WIDTH / as_f64(count.max(super::TREND as usize))
}

fn position(index: usize, each: f64) -> f64 {
    as_f64(index) * each
}

#[expect(clippy::cast_precision_loss, reason = "a number of marks")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Runs as bars of their expectations, oldest first, each a link to its page.
pub(super) fn bars(runs: &[&PastRun], link: &dyn Fn(&PastRun) -> String) -> String {
    const HEIGHT: f64 = 80.0;
    let most = runs.iter().map(|run| run.checks()).max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "counts of expectations lie far below 2^53")]
    let scaled = |count: u64| count as f64 / most as f64 * (HEIGHT - 12.0);
    let each = slot(runs.len());
    let mut out = format!(
        "<svg class=\"trend bars\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"group\" aria-label=\"Expectations evaluated in the last {} runs, oldest first\">",
        runs.len()
    );
    for (index, run) in runs.iter().enumerate() {
        let tip = escaped(&format!("{}, {}: {}", super::time(&run.started_at), run.command, told(run)));
        let (x, width) = (position(index, each), each - 1.5);
        out.push_str(&format!(
            "<a href=\"{0}\" aria-label=\"{tip}\"><title>{tip}</title>",
            escaped(&link(run))
        ));
        // The whole height takes the pointer.
        out.push_str(&format!(
            "<rect class=\"room\" x=\"{x:.1}\" y=\"0\" width=\"{each:.1}\" height=\"{HEIGHT}\"/>"
        ));
        let mut top = HEIGHT;
        let mut bar = |class: &str, height: f64| {
            top -= height;
            out.push_str(&format!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            ));
        };
        if run.checks() == 0 {
            bar(if run.status == "done" { "unknown" } else { "failed" }, 3.0);
        }
        let parts = [
            ("passed", run.passed),
            ("warned", run.warned),
            ("failed", run.failed),
            ("errored", run.errored),
        ];
        for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
            // One of a thousand is seen all the same.
            bar(class, scaled(count).max(if class == "passed" { 0.5 } else { 4.0 }));
        }
        out.push_str("</a>");
    }
    out.push_str("</svg>");
    out
}

/// What became of a run's expectations, in words.
pub(super) fn told(run: &PastRun) -> String {
    let parts =
        [(run.errored, "errored"), (run.failed, "failed"), (run.warned, "warned"), (run.passed, "passed")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", super::super::count(*count)))
        .collect();
    if parts.is_empty() { "no expectations".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(values: &[(Option<f64>, Verdict)], bounds: [Option<f64>; 2]) -> String {
        let marks = values.iter().map(|(value, verdict)| Mark {
            value: *value,
            verdict: *verdict,
            tip: "<tip>".to_owned(),
        });
        Trend { title: "A \"trend\"".into(), marks: marks.collect(), bounds, unit: Unit::Number }.svg()
    }

    #[test]
    fn values_are_told_shortly() {
        assert_eq!([0.0, 0.1234, 0.05].map(|share| Unit::Share.text(share)), ["0 %", "12.34 %", "5 %"]);
        assert_eq!(
            [0.5, 1234.56, 2e-7, 45_000.0].map(|n| Unit::Number.text(n)),
            ["0.5", "1235", "2.00e-7", "45,000"]
        );
        assert_eq!([59.0, 7_100.0, 200_000.0].map(|s| Unit::Age.text(s)), ["59 s", "118 min", "2 days"]);
        assert_eq!(Unit::Count.text(8_135.0), "8,135");
    }

    #[test]
    fn a_value_that_changes_is_a_line_and_another_a_strip() {
        let passed = Verdict::Passed;
        let line = trend(&[(Some(1.0), passed), (None, Verdict::Errored), (Some(3.0), passed)], [None, None]);
        assert_eq!(line.matches("<circle").count(), 2, "{line}");
        // The run without a value breaks the line.
        assert!(line.contains("d=\"M58.0 82.0M392.0 10.0\""), "{line}");
        assert!(
            line.contains(
                "<title>A &quot;trend&quot;, last 3 runs, oldest first: 2 passed, 1 errored</title>"
            )
        );
        assert!(!line.contains("<tip>"), "{line}");
        let strip = trend(&[(Some(1.0), passed), (Some(1.0), Verdict::Failed)], [None, None]);
        assert_eq!((strip.matches("<rect").count(), strip.matches("<circle").count()), (2, 0));
    }

    #[test]
    fn bounds_are_drawn_where_they_are_near() {
        let values = [(Some(1.0), Verdict::Passed), (Some(2.0), Verdict::Failed)];
        assert_eq!(trend(&values, [Some(0.5), Some(1e9)]).matches("class=\"bound\"").count(), 1);
    }
}
