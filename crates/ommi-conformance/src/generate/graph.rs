//! Random graphs of related rows, loaded and filtered by a driver and by plain loops.

mod answer;
mod models;
mod naive;
mod show;
mod shrink;
mod tree;

use fastrand::Rng;
use ommi::{Db, Result};

use self::answer::{answer, is_ordered, most_statements, settle, store};
use self::models::{Graphs, SHAPES};
use self::naive::naive;
use self::tree::{Data, Tree};
use super::{ATTEMPTS, DIFFERENCES, Difference, FuzzReport};

/// How many trees are asked of one set of rows.
const TREES_OF_A_GRAPH: u64 = 50;

/// Runs random trees of related rows on the database of a URL, and compares each with what plain
/// loops over the rows give: which rows are found by filters across models, which are loaded with
/// them and for each other, in which order, and in how many statements.
///
/// The same seed makes the same rows and trees. The database gets tables named `graph person` and so
/// on, which are dropped again.
pub async fn fuzz_graphs(url: &str, trees: u64, seed: u64, mut progress: impl FnMut(u64)) -> FuzzReport {
    let mut report = FuzzReport { seed, of: "trees", queries: 0, errors: 0, differences: Vec::new(), fault: None };
    let run = async {
        let db = ommi::connect(url).await?;
        db.create::<Graphs>().await?;
        let mut graph = 0;
        while report.queries < trees && report.differences.len() < DIFFERENCES {
            let left = trees - report.queries;
            one_graph(&db, seed.wrapping_add(graph), left, &mut report).await?;
            graph += 1;
            progress(report.queries);
        }
        db.drop::<Graphs>().await?;
        db.close().await
    };
    let ended: Result<()> = run.await;
    report.fault = ended.err().map(|error| error.to_string());
    report
}

async fn store_all(db: &Db, data: &Data) -> Result<()> {
    for model in 0..SHAPES.len() {
        store(db, model, data.rows(model)).await?;
    }
    Ok(())
}

/// Asks trees of one set of rows until one differs.
async fn one_graph(db: &Db, seed: u64, left: u64, report: &mut FuzzReport) -> Result<()> {
    let mut rng = Rng::with_seed(seed);
    let data = Data::random(&mut rng);
    store_all(db, &data).await?;
    for _ in 0..TREES_OF_A_GRAPH.min(left) {
        let tree = Tree::random(&mut rng);
        report.queries += 1;
        if let Some(message) = difference(db, &data, &tree).await {
            report.differences.push(minimal(db, data, tree, message, seed).await?);
            break;
        }
    }
    Ok(())
}

/// What differs between the database's answer and that of plain loops.
async fn difference(db: &Db, data: &Data, tree: &Tree) -> Option<String> {
    let mut expected = naive(data, tree);
    let (found, statements) = answer(db, tree).await;
    let mut found = match found {
        Ok(found) => found,
        Err(error) => return Some(format!("the answer is an error: {error}")),
    };
    if !is_ordered(&found, &tree.order, &tree.with) {
        return Some(format!("the rows are not in their order: {found:?}"));
    }
    settle(&mut expected, false, &tree.with);
    settle(&mut found, false, &tree.with);
    if found != expected {
        return Some(format!("found    {found:?}\nexpected {expected:?}"));
    }
    let most = most_statements(db, tree)?;
    (statements > most).then(|| format!("the answer took {statements} statements, and at most {most} are needed"))
}

/// The smallest case that still differs.
async fn minimal(db: &Db, data: Data, tree: Tree, message: String, seed: u64) -> Result<Difference> {
    let (mut data, mut tree, mut message) = (data, tree, message);
    let mut attempts = 0;
    'smaller: while attempts < ATTEMPTS {
        for (smaller_data, smaller_tree) in shrink::smaller(&data, &tree) {
            attempts += 1;
            if attempts >= ATTEMPTS {
                break 'smaller;
            }
            store_all(db, &smaller_data).await?;
            if let Some(other) = difference(db, &smaller_data, &smaller_tree).await {
                (data, tree, message) = (smaller_data, smaller_tree, other);
                continue 'smaller;
            }
        }
        break;
    }
    let again = format!("--seed {seed} --graphs {TREES_OF_A_GRAPH}");
    Ok(Difference { seed, again, message, case: show::case(&data, &tree) })
}
