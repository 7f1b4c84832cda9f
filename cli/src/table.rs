//! Aligned tables of text. Invariant: no line ends in white space.

/// Which side the cells of a column keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Rows of equally many cells, aligned by column, two spaces apart, each line after `indent` spaces.
pub(crate) fn table(indent: usize, sides: &[Side], rows: &[Vec<String>]) -> String {
    let width_of = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..sides.len()).map(width_of).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for ((cell, side), width) in row.iter().zip(sides).zip(&widths) {
            let padding = " ".repeat(width - cell.chars().count());
            match side {
                Side::Left => line.extend([cell.as_str(), &padding, "  "]),
                Side::Right => line.extend([padding.as_str(), cell, "  "]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned() {
        let rows = [["a", "1"], ["bbb", "22"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(1, &[Side::Left, Side::Right], &rows), " a     1\n bbb  22\n");
    }
}
