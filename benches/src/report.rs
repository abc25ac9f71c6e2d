//! Tables of figures.

use std::fmt::Write;

use lanes::program::Figure;

use crate::measure::quantile;

/// Where the report is kept.
const REPORT: &str = "docs/performance.md";

/// The order of columns.
const LANES: &[&str] = &["raw", "Ommi", "Ommi, together", "Diesel", "diesel-async", "sqlx", "SeaORM", "Toasty"];

/// The databases with their titles.
const DATABASES: &[(&str, &str)] =
    &[("sqlite", "SQLite"), ("postgres", "PostgreSQL"), ("memory", "The database in memory")];

/// Prints a table for each database.
pub fn print(figures: &[Figure]) {
    for &(database, title) in DATABASES {
        let table = table(figures, database);
        if !table.is_empty() {
            println!("{title}\n\n{table}");
        }
    }
}

/// Writes the report of files of figures. Lines that begin with `# ` are said about them.
pub fn write(files: &[&str]) {
    let mut figures = Vec::new();
    let mut notes = String::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a file of figures");
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(note) => {
                    let _ = writeln!(notes, "- {note}");
                }
                None => figures.push(Figure::from_line(line).expect("a figure")),
            }
        }
    }
    let mut report = format!("{HEAD}{notes}");
    for &(database, title) in DATABASES {
        let table = table(&figures, database);
        if !table.is_empty() {
            let _ = write!(report, "\n## {title}\n\n{table}");
        }
    }
    report.push_str(TAIL);
    std::fs::write(REPORT, &report).expect("a report");
    print(&figures);
    println!("written to {REPORT}");
}

const HEAD: &str = "\
# Performance

`dev/bench --peers` measures Ommi beside the raw drivers and beside other mappers, and writes this page.
Figures are times in relation to the raw driver's: 1.0 is as fast, 2.0 takes twice as long. In parentheses
is the middle half of the rounds; what overlaps is not a difference.

Each program has its own raw lane, because a program can have one version of SQLite only: a figure is the
ratio to the raw lane of the same round of the same program. The programs run in turn. The raw drivers are
used well: statements prepared once, structs filled by position. All lanes have the same tables, settings
(SQLite: a file, WAL, `synchronous=NORMAL`; PostgreSQL: over loopback) and sizes of pools, and each is used
as its documentation recommends. Before they are timed, their answers are compared with the raw lane's.

There are 10,000 users, of whom 100 have ten posts with ten comments each. What W4 and W7 insert is removed
after each round. W4 of many rows is by hand, on SQLite, one row at a time in one transaction, and on
PostgreSQL one statement of arrays. W5 is by hand three queries and maps of keys. In W8, 64 tasks look up
rows by key with eight connections on two threads. All else runs on one thread. *Together* are the ten
inserts of a transaction awaited at once, and not one after the other.

";

const TAIL: &str = "
## Reading the figures

sqlx asks a connection whether it is alive each time it is taken from the pool, which is its default;
SeaORM is built on it. Diesel on SQLite blocks the thread, and so does the raw driver; the others do not.
Toasty does not say how many rows an update changed. diesel-async and Diesel hold one connection, where the
others have a pool, but in W8.
";

fn table(figures: &[Figure], database: &str) -> String {
    let of_database: Vec<&Figure> = figures.iter().filter(|figure| figure.database == database).collect();
    let lanes: Vec<&&str> =
        LANES.iter().filter(|lane| of_database.iter().any(|figure| figure.lane == **lane)).collect();
    let mut works: Vec<&str> = Vec::new();
    for figure in &of_database {
        if !works.contains(&&*figure.work) {
            works.push(&figure.work);
        }
    }
    let mut table = String::new();
    if works.is_empty() {
        return table;
    }
    let _ = write!(table, "| work | {} µs |", lanes[0]);
    lanes[1..].iter().for_each(|lane| _ = write!(table, " {lane} |"));
    let _ = writeln!(table, "\n|---|---:|{}", "---:|".repeat(lanes.len() - 1));
    for work in works {
        let of = |lane: &str, value: fn(&Figure) -> f64| -> Vec<f64> {
            of_database.iter().filter(|figure| figure.work == work && figure.lane == lane).map(|f| value(f)).collect()
        };
        let _ = write!(table, "| {work} | {:.1} |", quantile(&of(lanes[0], |figure| figure.micros), 0.5));
        for lane in &lanes[1..] {
            let ratios = of(lane, |figure| figure.ratio);
            let _ = match ratios.is_empty() {
                true => write!(table, " |"),
                false => write!(
                    table,
                    " {:.2} ({:.2}–{:.2}) |",
                    quantile(&ratios, 0.5),
                    quantile(&ratios, 0.25),
                    quantile(&ratios, 0.75)
                ),
            };
        }
        table.push('\n');
    }
    table
}
