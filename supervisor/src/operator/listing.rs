use serde::Serialize;

use super::output;

/// The format of a list.
#[derive(Debug, clap::Args)]
pub(super) struct Listing {
    /// Print the list as JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Listing {
    /// Shows the rows as JSON, or else as a table whose cells are made of them.
    pub(super) fn show<R: Serialize, const N: usize>(
        &self,
        rows: Vec<R>,
        head: [&str; N],
        cells: impl FnMut(R) -> [String; N],
    ) {
        if self.json {
            return output::print_json(&rows);
        }
        let cells: Vec<[String; N]> = rows.into_iter().map(cells).collect();
        output::print(&table(head, &cells));
    }
}

/// Rows below a header, in columns that are as wide as their widest cell.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(head.map(str::to_owned)).chain(rows.iter().cloned()) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [["ännchen".to_owned(), "x".to_owned()], ["b".to_owned(), String::new()]];
        assert_eq!(super::table(["NAME", "WHAT"], &rows), "NAME     WHAT\nännchen  x\nb\n");
    }
}
