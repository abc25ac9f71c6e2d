//! A plot of lines with logarithms on both axes, as SVG.

use std::fmt::Write;

/// A line of the plot.
pub struct Line {
    /// What it says of itself at its end.
    pub name: String,
    /// Sizes and times.
    pub points: Vec<(f64, f64)>,
    /// Whether it is dashed.
    pub is_dashed: bool,
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 360.0;
const COLORS: &[&str] = &["#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df"];

/// The plot. Lines come in pairs, and a pair has one colour.
pub fn plot(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let logs = || all().map(of).map(f64::log10);
        let (low, high) = (logs().fold(f64::MAX, f64::min).floor(), logs().fold(f64::MIN, f64::max).ceil());
        (low, high.max(low + 1.0))
    };
    let (sizes, times) = (range(|point| point.0), range(|point| point.1));
    let x = |log: f64| 60.0 + (log - sizes.0) / (sizes.1 - sizes.0) * WIDTH;
    let y = |log: f64| 40.0 + (1.0 - (log - times.0) / (times.1 - times.0)) * HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 440\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"800\" height=\"440\" fill=\"white\"/>\n<text x=\"60\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    let mut grid = |range: (f64, f64), is_size: bool| {
        for power in range.0 as i32..=range.1 as i32 {
            let log = f64::from(power);
            let (x1, y1, x2, y2) = match is_size {
                true => (x(log), y(times.0), x(log), y(times.1)),
                false => (x(sizes.0), y(log), x(sizes.1), y(log)),
            };
            let (label_x, label_y) = if is_size { (x1 - 10.0, y1 + 18.0) } else { (x1 - 34.0, y1 + 4.0) };
            let _ = writeln!(
                svg,
                "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{label_x:.1}\" y=\"{label_y:.1}\">10<tspan dy=\"-4\" font-size=\"8\">{power}</tspan></text>"
            );
        }
    };
    grid(sizes, true);
    grid(times, false);
    for (number, line) in lines.iter().enumerate() {
        let color = COLORS[number / 2 % COLORS.len()];
        let path: Vec<String> =
            line.points.iter().map(|(size, time)| format!("{:.1} {:.1}", x(size.log10()), y(time.log10()))).collect();
        let dashes = if line.is_dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let (key_y, name) = (50 + number * 18, &line.name);
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"{dashes}/>\
             <path d=\"M560 {key_y}h28\" stroke=\"{color}\" stroke-width=\"1.5\"{dashes}/>\
             <text x=\"594\" y=\"{}\">{name}</text>",
            path.join("L"),
            key_y + 4
        );
    }
    svg.push_str("</svg>\n");
    svg
}
