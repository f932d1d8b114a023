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
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    indent: usize,
}

/// No column that is shortened gets narrower than this.
const NARROWEST: usize = 12;

impl Table {
    /// A table with its columns' sides.
    pub fn new(columns: &[Align]) -> Self {
        Self { columns: columns.to_vec(), heads: Vec::new(), rows: Vec::new(), indent: 0 }
    }

    /// A table with a word and a side for each column.
    pub fn with_heads(columns: &[(&'static str, Align)]) -> Self {
        let mut table = Self::new(&columns.iter().map(|(_, side)| *side).collect::<Vec<_>>());
        table.heads = columns.iter().map(|(head, _)| *head).collect();
        table
    }

    /// Blanks before each row.
    #[must_use]
    pub fn indent(mut self, blanks: usize) -> Self {
        self.indent = blanks;
        self
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a row of as many cells as the table has columns.
    pub fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The rows for somebody who looks at a terminal: below their heads, and with the longest texts cut where a row
    /// would be wider than the terminal.
    pub fn for_terminal(mut self, columns: usize) -> String {
        let mut widths = self.widths();
        for (width, head) in widths.iter_mut().zip(&self.heads) {
            *width = head.width().max(*width);
        }
        let between = self.indent + 2 * self.columns.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + between > columns {
            let texts = widths.iter_mut().zip(&self.columns).filter(|(_, side)| **side == Align::Left);
            let Some((widest, _)) = texts.max_by_key(|(width, _)| **width) else { break };
            if *widest <= NARROWEST {
                break;
            }
            *widest -= 1;
        }
        for row in &mut self.rows {
            for (cell, width) in row.iter_mut().zip(&widths) {
                if width_of(cell) > *width {
                    *cell = console::truncate_str(cell, *width, "…").into_owned();
                }
            }
        }
        let heads = self.heads.iter().map(|head| console::style(head).bold().to_string()).collect();
        self.rows.insert(0, heads);
        self.to_string()
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.columns.len())
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| width_of(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect()
    }

    /// The rows as lines, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let widths = self.widths();
        self.rows
            .iter()
            .map(|row| {
                let mut line = " ".repeat(self.indent);
                for (index, cell) in row.iter().enumerate() {
                    let padding = " ".repeat(widths[index].saturating_sub(width_of(cell)));
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

/// How many columns of a terminal a text takes.
fn width_of(text: &str) -> usize {
    console::strip_ansi_codes(text).width()
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table::with_heads(&[("node", Align::Left), ("relation", Align::Left), ("rows", Align::Right)]);
        table.row(["model.a".into(), "marts.a_table_with_quite_a_long_name".into(), "12,345".into()]);
        table.row(["model.with_a_longer_name".into(), "marts.b".into(), "7".into()]);
        table
    }

    #[test]
    fn a_terminal_gets_heads_and_no_line_longer_than_it_is_wide() {
        let lines = |columns| {
            let text = console::strip_ansi_codes(&table().for_terminal(columns)).into_owned();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let wide = lines(100);
        assert_eq!(wide[0], format!("{:24}  {:36}  {:>6}", "node", "relation", "rows"));
        assert_eq!(
            wide[1],
            format!("{:24}  {:36}  {:>6}", "model.a", "marts.a_table_with_quite_a_long_name", "12,345")
        );
        let narrow = lines(50);
        assert_eq!(narrow[1], format!("{:20}  {:20}  {:>6}", "model.a", "marts.a_table_with_…", "12,345"));
        assert_eq!(narrow[2], format!("{:20}  {:20}  {:>6}", "model.with_a_longer…", "marts.b", "7"));
        assert!(narrow.iter().all(|line| line.width() <= 50), "{narrow:#?}");
        // So narrow that nothing is left to cut: lines are as short as they can be.
        assert_eq!(lines(1)[2].width(), NARROWEST + 2 + NARROWEST + 2 + 6);
    }

    #[test]
    fn elsewhere_rows_are_whole_and_alone() {
        let text = table().to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("marts.a_table_with_quite_a_long_name"), "{text}");
    }
}
