//! The book: its chapters are listed, their samples run, and its links lead somewhere.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The names of all files of the book, without the ending.
fn chapters() -> Vec<String> {
    let files = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let chapters = files.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    chapters.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// The targets of the links in a text, outside of its code.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned));
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|character| character.is_alphanumeric() || matches!(character, '-' | '_')).collect()
}

#[test]
fn every_chapter_is_listed_and_its_samples_run() {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let samples = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/book.rs")).unwrap();
    for chapter in chapters().into_iter().filter(|chapter| chapter != "SUMMARY") {
        assert!(summary.contains(&format!("({chapter}.md)")), "{chapter} is not in SUMMARY.md");
        assert!(samples.contains(&format!("\"docs/{chapter}.md\"")), "{chapter} is not in src/book.rs");
    }
}

#[test]
fn links_lead_somewhere() {
    let readme = docs().join("../README.md");
    for file in chapters().iter().map(|chapter| docs().join(format!("{chapter}.md"))).chain([readme]) {
        for link in links(&fs::read_to_string(&file).unwrap()) {
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link}", file.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings =
                    text.lines().filter_map(|line| Some(anchor(line.trim_start_matches('#').strip_prefix(' ')?)));
                assert!(headings.into_iter().any(|anchor| anchor == heading), "{}: {link}", file.display());
            }
        }
    }
}
