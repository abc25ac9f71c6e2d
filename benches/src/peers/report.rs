//! Tables of figures, and the report that has them.

use std::fmt::Write;
use std::path::Path;

use lanes::Work;

use super::Times;
use crate::measure::quantile;

/// Where the report is kept.
const REPORT: &str = "docs/performance.md";

/// Times of the raw lane, and of the others in relation to it: the median, and the middle half of the rounds.
pub fn table(works: &[Work], lanes: &[String], times: &Times) -> String {
    let others = &lanes[1..];
    let mut table =
        format!("| work | {} µs | {} |\n|---|---:|{}\n", lanes[0], others.join(" | "), "---:|".repeat(others.len()));
    for &work in works {
        let of = |lane: &String| times.get(&(work, lane.clone()));
        let Some(raw) = of(&lanes[0]) else { continue };
        let _ = write!(table, "| {} | {:.1} |", work.name(), quantile(raw, 0.5));
        for lane in others {
            let Some(times) = of(lane) else {
                table.push_str(" – |");
                continue;
            };
            let ratios: Vec<f64> = times.iter().zip(raw).map(|(time, raw)| time / raw).collect();
            let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| quantile(&ratios, share));
            let _ = write!(table, " {middle:.2} ({low:.2}–{high:.2}) |");
        }
        table.push('\n');
    }
    table
}

/// Puts a part into the report, in place of the same part before.
pub fn put(part: &str, text: &str) {
    let report = std::fs::read_to_string(REPORT).expect("the report");
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("\n<!-- end of {part} -->"));
    let (head, rest) = report.split_once(&begin).expect("the part's place in the report");
    let (_, tail) = rest.split_once(&end).expect("the part's end in the report");
    std::fs::write(REPORT, format!("{head}{begin}\n{}\n{end}{tail}", text.trim_end())).expect("a report");
    println!("written to {REPORT}");
}

/// On what, with what and when it was measured.
pub fn circumstances(database: &str, rounds: usize) -> String {
    let ommi = |name| version("Cargo.lock", name);
    let sql = |name| version("benches/peers/sql/Cargo.lock", name);
    let toasty = |name| version("benches/peers/toasty/Cargo.lock", name);
    format!(
        "{database}; rusqlite {}, tokio-postgres {}, Ommi {}; Diesel {}, diesel-async {}, sqlx {}, SeaORM {}; Toasty {}.\n\
         {}, {rounds} rounds.",
        ommi("rusqlite"),
        ommi("tokio-postgres"),
        ommi("ommi"),
        sql("diesel"),
        sql("diesel-async"),
        sql("sqlx"),
        sql("sea-orm"),
        toasty("toasty"),
        machine()
    )
}

/// The day, the machine and its load.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let processor =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default().trim();
    // the machine's, of which this process may have some only
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let day = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
    format!("{day}, {cores} cores ({}), Linux {kernel}, load {load}", processor.1)
}

/// The version of a package in a lock file.
fn version(lock: &str, name: &str) -> String {
    let text = std::fs::read_to_string(Path::new(lock)).expect("a lock file");
    let name = format!("name = \"{name}\"\nversion = \"");
    text.rsplit_once(&name).and_then(|(_, rest)| rest.split_once('"')).map_or("?", |(version, _)| version).to_owned()
}
