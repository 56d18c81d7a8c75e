//! The table "Who runs as whom" of `ARCHITECTURE.md`, which the sandbox is compared with.

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

/// The row of a process: its cells, by the headers of their columns.
#[derive(Debug, Clone)]
pub struct Compartment {
    heads: Vec<String>,
    cells: Vec<String>,
}

impl Compartment {
    /// The row of a role.
    #[track_caller]
    pub fn of(role: &str) -> Self {
        let mut lines = ARCHITECTURE.lines().skip_while(|line| !line.starts_with("| process | user |"));
        let cells =
            |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().to_owned()).collect() };
        let heads = cells(lines.next().expect("the table is there"));
        let row = lines.find(|line| line.starts_with(&format!("| `{role}` |"))).expect("each role has a row");
        Self { heads, cells: cells(row) }
    }

    /// True if a column contains a word in code style.
    #[track_caller]
    pub fn has(&self, column: &str, word: &str) -> bool {
        self.cell(column).contains(&format!("`{word}`"))
    }

    /// A cell.
    #[track_caller]
    pub fn cell(&self, column: &str) -> &str {
        let index = self.heads.iter().position(|head| head == column).expect("the column is there");
        &self.cells[index]
    }
}
