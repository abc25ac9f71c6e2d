//! What a program of the benches does with its lanes.

use std::time::Instant;

use crate::check;
use crate::lane::Run;
use crate::shared::{self, RunShared};
use crate::work::{Database, Work};

/// The lanes of a program, the raw one first.
pub struct Lanes {
    /// The database that they use.
    pub database: Database,
    /// Those of one thread.
    pub lanes: Vec<Box<dyn Run>>,
    /// Those of many tasks.
    pub shared: Vec<Box<dyn RunShared>>,
    /// Removes the rows that were inserted.
    pub clean: Box<dyn FnMut()>,
}

/// The time of a lane in a round.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The database.
    pub database: String,
    /// The workload.
    pub work: String,
    /// The lane.
    pub lane: String,
    /// Microseconds of an operation.
    pub micros: f64,
    /// The same in relation to the raw lane's, in the same round of the same program.
    pub ratio: f64,
}

impl Figure {
    /// A line of a file of figures.
    pub fn to_line(&self) -> String {
        format!("{}\t{}\t{}\t{:.4}\t{:.5}", self.database, self.work, self.lane, self.micros, self.ratio)
    }

    /// Reads what `to_line` wrote.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut parts = line.split('\t').map(str::to_owned);
        Some(Figure {
            database: parts.next()?,
            work: parts.next()?,
            lane: parts.next()?,
            micros: parts.next()?.parse().ok()?,
            ratio: parts.next()?.parse().ok()?,
        })
    }
}

/// Measures all lanes in turn, so many rounds, after one of warming. `only` are the beginnings of the
/// workloads' names that are wanted; all are where there are none.
pub fn measure(lanes: &mut Lanes, rounds: usize, only: &[&str]) -> Vec<Figure> {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| name.starts_with(only));
    let mut figures = Vec::new();
    for &work in Work::ALL.iter().filter(|work| wanted(&work.name())) {
        let times = work.times(lanes.database);
        let mut runs: Vec<_> = lanes.lanes.iter_mut().filter(|lane| lane.has(work)).collect();
        let names: Vec<_> = runs.iter().map(|lane| lane.name()).collect();
        let clean = &mut lanes.clean;
        let round = |lane: usize| {
            let begun = Instant::now();
            runs[lane].run(work, times);
            let took = begun.elapsed().as_secs_f64() / f64::from(times) * 1e6;
            if work.inserts() {
                clean();
            }
            took
        };
        figures.extend(interleave(lanes.database, &work.name(), &names, rounds, round));
    }
    if wanted(shared::NAME) {
        let each = match lanes.database {
            Database::Postgres => 40,
            Database::Sqlite | Database::Memory => 100,
        };
        let names: Vec<_> = lanes.shared.iter().map(|lane| lane.name()).collect();
        let round = |lane: usize| {
            let begun = Instant::now();
            lanes.shared[lane].run(each);
            begun.elapsed().as_secs_f64() / f64::from(shared::TASKS * each) * 1e6
        };
        figures.extend(interleave(lanes.database, shared::NAME, &names, rounds, round));
    }
    figures
}

/// Runs lanes in turn, so many rounds after one of warming; `run` gives the microseconds of one.
pub fn interleave(
    database: Database,
    work: &str,
    names: &[&str],
    rounds: usize,
    mut run: impl FnMut(usize) -> f64,
) -> Vec<Figure> {
    (0..names.len()).for_each(|lane| _ = run(lane));
    let mut figures = Vec::new();
    for round in 0..rounds {
        let mut took = vec![0.0; names.len()];
        for place in 0..names.len() {
            // another lane is the first in each round
            let lane = (place + round) % names.len();
            took[lane] = run(lane);
        }
        figures.extend(names.iter().zip(&took).map(|(lane, micros)| Figure {
            database: database.name().into(),
            work: work.into(),
            lane: (*lane).into(),
            micros: *micros,
            ratio: micros / took[0],
        }));
    }
    figures
}

/// Runs one lane of one workload so many times and nothing else, for counts of instructions.
pub fn count(lanes: &mut Lanes, work: &str, lane: &str, times: u32) {
    let run = lanes.lanes.iter_mut().find(|known| known.name() == lane).expect("a lane of this name");
    run.run(Work::named(work), times);
}

/// The workloads whose instructions are counted, and how often they are run for that.
const COUNTED: &[(Work, u32)] =
    &[(Work::Get, 300), (Work::Rows(1_000), 5), (Work::Insert, 100), (Work::InsertAll(100), 3), (Work::Tree, 1)];

/// Runs the workloads of one lane whose instructions are counted, each once before. Callgrind is told to
/// count within `counted`, and to begin a new part after it.
pub fn parts(lanes: &mut Lanes, lane: &str) {
    let database = lanes.database;
    let run = lanes.lanes.iter_mut().find(|known| known.name() == lane).expect("a lane of this name");
    for &(work, times) in COUNTED {
        run.run(work, times);
        if work.inserts() {
            (lanes.clean)();
        }
        counted(&mut **run, work, times);
        if work.inserts() {
            (lanes.clean)();
        }
        println!("{}\t{}\t{lane}\t{times}", database.name(), work.name());
    }
}

#[inline(never)]
fn counted(lane: &mut dyn Run, work: Work, times: u32) {
    lane.run(work, times);
    // a call at the end would be a jump, and the part would not end here
    std::hint::black_box(());
}

/// What a program is asked for.
pub enum Command {
    /// Figures of so many rounds, of workloads whose names begin so.
    Figures(usize, Vec<String>),
    /// One lane of one workload, so many times.
    Count(String, String, u32),
    /// The workloads of a lane whose instructions are counted.
    Parts(String),
}

impl Command {
    /// Reads what stands behind the database.
    pub fn parse(mut words: &[&str]) -> Option<Self> {
        let (mut rounds, mut only) = (5, Vec::new());
        loop {
            match words {
                [] => return Some(Command::Figures(rounds, only)),
                ["--rounds", number, rest @ ..] => (rounds, words) = (number.parse().ok()?, rest),
                ["--only", work, rest @ ..] => {
                    only.push((*work).to_owned());
                    words = rest;
                }
                ["--count", work, lane, times] => {
                    return Some(Command::Count((*work).into(), (*lane).into(), times.parse().ok()?));
                }
                ["--parts", lane] => return Some(Command::Parts((*lane).into())),
                _ => return None,
            }
        }
    }

    /// Does it; gives figures, if it was asked for some.
    pub fn run(self, lanes: &mut Lanes) -> Vec<Figure> {
        match self {
            Command::Figures(rounds, only) => {
                check::same_answers(&mut lanes.lanes, &mut lanes.clean);
                let only: Vec<&str> = only.iter().map(String::as_str).collect();
                return measure(lanes, rounds, &only);
            }
            Command::Count(work, lane, times) => count(lanes, &work, &lane, times),
            Command::Parts(lane) => parts(lanes, &lane),
        }
        Vec::new()
    }
}

/// The whole of a program of peers.
pub fn main(open: impl FnOnce(Database) -> Lanes) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (database, options) = match words.as_slice() {
        ["sqlite", options @ ..] => (Database::Sqlite, options),
        ["postgres", options @ ..] => (Database::Postgres, options),
        _ => usage(),
    };
    let Some(command) = Command::parse(options) else { usage() };
    for figure in command.run(&mut open(database)) {
        println!("{}", figure.to_line());
    }
}

fn usage() -> ! {
    eprintln!("usage: PROGRAM sqlite|postgres [--rounds N] [--only WORK].. [--count WORK LANE TIMES | --parts LANE]");
    std::process::exit(2);
}
