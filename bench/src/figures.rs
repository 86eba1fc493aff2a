//! What is done with figures: medians and ratios of several rounds, and how they are written.

use std::fmt::Display;
use std::time::Duration;

/// The figure in the middle; 0 where there is none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

/// The mean; 0 of none.
pub(crate) fn mean(figures: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = figures.into_iter().fold((0.0, 0.0), |(sum, count), figure| (sum + figure, count + 1.0));
    sum / f64::max(count, 1.0)
}

/// A count, of what there are thousands of at most.
pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// One figure per round, as its median with the least and the greatest.
pub(crate) fn spread(figures: &[f64]) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = figures.iter().copied().fold(0.0, f64::max);
    format!("{} ({} to {})", short(median(figures.iter().copied())), short(least), short(greatest))
}

/// Three digits that count, or all before the point.
pub(crate) fn short(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        size if size < 1.0 => format!("{figure:.3}"),
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// Bytes in millions of them.
#[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below 2^52")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

/// A Markdown table.
pub(crate) struct Table {
    text: String,
}

impl Table {
    pub(crate) fn new<const N: usize>(heads: [&str; N]) -> Self {
        // The first column says what a row is about, and the rest are figures.
        let rule = "---: |".repeat(N - 1);
        Self { text: format!("| {} |\n| --- |{rule}\n", heads.join(" | ")) }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) {
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        self.text.extend(["| ", &cells.join(" | "), " |\n"]);
    }

    pub(crate) fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_figures_lies_between_the_two_in_the_middle() {
        assert!((median([4.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
    }
}
