//! Rows in columns, within the terminal's width: a row is one line, and what does not fit gives way.

use super::text::{Style, Text, escaped};

/// Between two columns.
const GAP: usize = 2;

/// What a column is cut to at most.
const FEWEST: usize = 12;

/// Stands for what was cut off.
const CUT: char = '…';

/// What becomes of a column where the table is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It stays as it is, unless nothing else is left to give way.
    Whole,
    /// The ends of its longest cells are cut, once all that can go is gone.
    Cut,
    /// The same for their beginnings: the end of a name tells more.
    End,
    /// It goes, the last one first.
    IfItFits,
}

/// One column: its title, and what becomes of it in a narrow place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) keep: Keep,
}

/// One value in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    style: Style,
    words: String,
}

impl Cell {
    /// A value in a style.
    pub(crate) fn new(style: Style, words: impl Into<String>) -> Self {
        Self { style, words: words.into() }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(words: T) -> Self {
        Self::new(Style::Plain, words)
    }
}

/// Rows under titles.
#[derive(Clone, Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(columns: [Column; N], rows: impl IntoIterator<Item = [Cell; N]>) -> Self {
        Self { columns, rows: rows.into_iter().collect() }
    }

    /// The table in no more than this many columns of text, as long as that leaves each something. A column without
    /// a value is left out; below the rows stands which columns had to go.
    pub(crate) fn render(&self, width: usize) -> Text {
        let mut shown: Vec<Shown<'_>> = (0..N).filter_map(|place| self.column(place)).collect();
        let gone = fit(&mut shown, width);
        let mut text = Text::default();
        for column in &mut shown {
            column.cells.insert(0, (Style::Dim, column.title.to_owned()));
        }
        for line in 0..=self.rows.len() {
            let cells = shown.iter().filter_map(|column| Some((column.width, column.cells.get(line)?)));
            let mut pad = 0;
            for (width, (style, words)) in cells {
                if !words.is_empty() {
                    text.push(&" ".repeat(pad)).paint(*style, words);
                    pad = 0;
                }
                pad += width - length(words).min(width) + GAP;
            }
            text.push("\n");
        }
        if !gone.is_empty() {
            let gone = gone.join(", ");
            text.paint(Style::Dim, &format!("not shown in {width} columns: {gone}\n"));
        }
        text
    }

    /// A column with something in it.
    fn column(&self, place: usize) -> Option<Shown<'_>> {
        let column = self.columns.get(place)?;
        let cells: Vec<_> = self.rows.iter().filter_map(|row| row.get(place)).collect();
        if cells.iter().all(|cell| cell.words.is_empty()) {
            return None;
        }
        let cells: Vec<_> = cells.into_iter().map(|cell| (cell.style, escaped(&cell.words))).collect();
        let widest = cells.iter().map(|(_, words)| length(words)).max().unwrap_or_default();
        Some(Shown { title: column.title, keep: column.keep, width: widest.max(column.title.len()), cells })
    }
}

/// A column on its way out.
struct Shown<'t> {
    title: &'t str,
    keep: Keep,
    width: usize,
    cells: Vec<(Style, String)>,
}

impl Shown<'_> {
    fn can_be_cut(&self, kinds: &[Keep]) -> bool {
        kinds.contains(&self.keep) && self.width > FEWEST
    }

    fn cut_to(&mut self, width: usize) {
        self.width = width;
        let kept = width.saturating_sub(1);
        for (_, words) in self.cells.iter_mut().filter(|(_, words)| length(words) > width) {
            let count = words.chars().count();
            *words = match self.keep {
                Keep::End => {
                    [CUT].into_iter().chain(words.chars().skip(count.saturating_sub(kept))).collect()
                }
                Keep::Whole | Keep::Cut | Keep::IfItFits => words.chars().take(kept).chain([CUT]).collect(),
            };
        }
    }
}

/// Makes columns fit, and names those that had to go.
fn fit<'t>(columns: &mut Vec<Shown<'t>>, width: usize) -> Vec<&'t str> {
    let total = |columns: &[Shown<'_>]| {
        columns.iter().map(|column| column.width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    let mut gone = Vec::new();
    while total(columns) > width {
        let Some(place) = columns.iter().rposition(|column| column.keep == Keep::IfItFits) else { break };
        let others = total(columns) - columns.get(place).map_or(0, |column| column.width);
        match columns.get_mut(place) {
            // What is left of it says enough.
            Some(column) if others + FEWEST <= width => column.cut_to(width - others),
            _ => gone.insert(0, columns.remove(place).title),
        }
    }
    // A row stays one line, whatever must be cut for it in the end.
    for kinds in [&[Keep::Cut, Keep::End][..], &[Keep::Whole]] {
        while total(columns) > width {
            let over = total(columns) - width;
            let can = columns.iter_mut().filter(|column| column.can_be_cut(kinds));
            let Some(widest) = can.max_by_key(|column| column.width) else { break };
            let to = widest.width.saturating_sub(over).max(FEWEST);
            widest.cut_to(to);
        }
    }
    gone
}

fn length(words: &str) -> usize {
    textwrap::core::display_width(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: usize) -> String {
        let column = |title, keep| Column { title, keep };
        let columns = [
            column("FRONTEND", Keep::Whole),
            column("EMPTY", Keep::Whole),
            column("POLICY", Keep::End),
            column("PODS", Keep::IfItFits),
            column("SERVICE", Keep::IfItFits),
        ];
        let row = |cells: [&str; 5]| cells.map(Cell::from);
        let rows = [
            row(["10.0.0.1:80/TCP", "", "default/a-policy-with-a-name", "default/pod-1", "web"]),
            row(["", "", "b", "default/another-pod", ""]),
        ];
        Table::new(columns, rows).render(width).leaving(false)
    }

    #[test]
    fn what_is_needed_least_gives_way_first() {
        let whole = "\
FRONTEND         POLICY                        PODS                 SERVICE
10.0.0.1:80/TCP  default/a-policy-with-a-name  default/pod-1        web
                 b                             default/another-pod
";
        assert_eq!(shown(80), whole);
        let without_services = "\
FRONTEND         POLICY                        PODS
10.0.0.1:80/TCP  default/a-policy-with-a-name  default/pod-1
                 b                             default/another…
not shown in 63 columns: SERVICE
";
        assert_eq!(shown(63), without_services);
        let cut = "\
FRONTEND         POLICY
10.0.0.1:80/TCP  …t/a-policy-with-a-name
                 b
not shown in 40 columns: PODS, SERVICE
";
        assert_eq!(shown(40), cut);
    }

    #[test]
    fn no_row_is_wider_than_asked() {
        for width in 26..100 {
            let text = shown(width);
            let rows = text.lines().filter(|line| !line.starts_with("not shown"));
            assert!(rows.clone().all(|line| length(line) <= width), "{width}:\n{text}");
        }
    }
}
