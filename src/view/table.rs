//! Columns that stand below each other.

use unicode_width::UnicodeWidthStr;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells, written with two blanks between columns.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
    indent: usize,
}

impl Table {
    /// A table with its columns' sides.
    pub fn new(columns: &[Align]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), indent: 0 }
    }

    /// Blanks before each row.
    #[must_use]
    pub fn indent(mut self, blanks: usize) -> Self {
        self.indent = blanks;
        self
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a row of as many cells as the table has columns.
    pub fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The rows as lines, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let width = |text: &str| console::strip_ansi_codes(text).width();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = " ".repeat(self.indent);
                for (index, cell) in row.iter().enumerate() {
                    let padding = " ".repeat(widths[index].saturating_sub(width(cell)));
                    if index > 0 {
                        line.push_str("  ");
                    }
                    match self.columns[index] {
                        Align::Left => line.push_str(&format!("{cell}{padding}")),
                        Align::Right => line.push_str(&format!("{padding}{cell}")),
                    }
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
