//! Interleaved measurement of two lanes.

use std::time::Instant;

/// The times of a workload's lanes, in microseconds an operation.
pub struct Figures {
    /// The raw driver's.
    pub raw: Vec<f64>,
    /// Ommi's.
    pub ommi: Vec<f64>,
}

/// The value at a share of the sorted times.
pub fn quantile(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted[((last as f64) * share).round() as usize]
}

/// How many operations make a turn of its own where a server is asked: the shorter the turns, the more
/// alike is what else the machine does meanwhile.
pub const OF_A_TURN: u32 = 100;

/// Runs two lanes in turn, `rounds` times each, after one round of warming. Rounds of more operations than
/// make a turn are several turns, each of which is warmed by a tenth of it.
pub fn interleave(
    rounds: usize,
    times: u32,
    of_a_turn: u32,
    mut raw: impl FnMut(u32),
    mut ommi: impl FnMut(u32),
) -> Figures {
    let mut figures = Figures { raw: Vec::new(), ommi: Vec::new() };
    raw(times);
    ommi(times);
    let turns = (times / of_a_turn).max(1);
    let (rounds, times) = (rounds * turns as usize, times / turns);
    for round in 0..rounds {
        let mut timed = |is_ommi: bool| {
            let mut run = |times: u32| match is_ommi {
                true => ommi(times),
                false => raw(times),
            };
            lanes::rest();
            if times >= 10 {
                run(times / 10);
            }
            let begun = Instant::now();
            run(times);
            let each = begun.elapsed().as_secs_f64() / f64::from(times) * 1e6;
            match is_ommi {
                true => figures.ommi.push(each),
                false => figures.raw.push(each),
            }
        };
        timed(round % 2 == 0);
        timed(round % 2 == 1);
    }
    figures
}

/// The table's head.
pub const HEAD: &str = "\
| work | raw µs | Ommi µs | ratio | spread of the ratio |
|---|---:|---:|---:|---:|
";

/// A line of the table.
pub fn line(work: &str, figures: &Figures) -> String {
    let (raw, ommi) = (quantile(&figures.raw, 0.5), quantile(&figures.ommi, 0.5));
    let ratios: Vec<f64> = figures.ommi.iter().zip(&figures.raw).map(|(ommi, raw)| ommi / raw).collect();
    format!(
        "| {work} | {raw:.2} | {ommi:.2} | {:.2} | {:.2}–{:.2} |\n",
        quantile(&ratios, 0.5),
        quantile(&ratios, 0.25),
        quantile(&ratios, 0.75)
    )
}

/// Prints the table's head.
pub fn head() {
    print!("{HEAD}");
}

/// Prints a row of the table.
pub fn row(work: &str, figures: &Figures) {
    print!("{}", line(work, figures));
}
