//! Lanes of another program, which take their turn when they are told to.
//!
//! The program writes the names of its lanes, separated by tabs. Then it reads lines of a word, a lane, a
//! work and a number, and answers each by one line: nanoseconds, keys, or `none`.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use crate::{Run, Work};

/// The whole of a program of lanes: `PROGRAM sqlite FILE` or `PROGRAM postgres URL`.
pub fn serve(open: impl FnOnce(&str, &str) -> Vec<Box<dyn Run>>) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, address] = arguments.as_slice() else {
        eprintln!("usage: PROGRAM sqlite FILE | postgres URL; dev/bench --peers runs it");
        std::process::exit(2);
    };
    let mut lanes = open(database, address);
    let names: Vec<&str> = lanes.iter().map(|lane| lane.name()).collect();
    println!("{}", names.join("\t"));
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let words: Vec<&str> = line.split('\t').collect();
        let [order, lane, work, times] = words.as_slice() else { panic!("not understood: {line}") };
        let lane = lanes.iter_mut().find(|known| known.name() == *lane).expect("a lane of this name");
        let work = Work::named(work).expect("a work of this name");
        match *order {
            "check" => println!("{}", lane.check(work).iter().map(i64::to_string).collect::<Vec<_>>().join(",")),
            _ => match lane.run(work, times.parse().expect("a number of times")) {
                Some(took) => println!("{}", took.as_nanos()),
                None => println!("none"),
            },
        }
    }
}

struct Program {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).expect("an answer");
        assert!(read > 0, "the program of other lanes has ended");
        line.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// A lane of another program.
pub struct Peer {
    name: String,
    program: Rc<RefCell<Program>>,
}

impl Peer {
    /// Starts a program, and gives its lanes.
    pub fn start(program: &Path, database: &str, address: &str) -> Vec<Box<dyn Run>> {
        let mut child = Command::new(program)
            .args([database, address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program of other lanes; dev/bench --peers builds it");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("its answers"));
        let mut program = Program { child, orders, answers };
        let names = program.answer();
        let program = Rc::new(RefCell::new(program));
        let lane = |name: &str| Box::new(Peer { name: name.to_owned(), program: Rc::clone(&program) }) as Box<dyn Run>;
        names.split('\t').map(lane).collect()
    }

    fn order(&self, order: &str, work: Work, times: u32) -> String {
        let mut program = self.program.borrow_mut();
        let orders = program.orders.as_mut().expect("its orders");
        writeln!(orders, "{order}\t{}\t{}\t{times}", self.name, work.name()).expect("a line");
        program.answer()
    }
}

impl Run for Peer {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self, work: Work, times: u32) -> Option<Duration> {
        match self.order("run", work, times).as_str() {
            "none" => None,
            took => Some(Duration::from_nanos(took.parse().expect("nanoseconds"))),
        }
    }

    fn check(&mut self, work: Work) -> Vec<i64> {
        let keys = self.order("check", work, 1);
        keys.split(',').filter(|key| !key.is_empty()).map(|key| key.parse().expect("a key")).collect()
    }
}
