//! The row path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ommi_core::driver::{Raw, RowSink};
use ommi_core::query::statement::{SelectStatement, Statement};
use ommi_core::query::{Condition, Expr, InList, OrderBy};
use ommi_core::value::{Datum, ValueType};

use crate::harness::*;

async fn filled(url: &str, rows: i64) -> Arc<dyn ommi_core::driver::Driver> {
    let driver = open(url).await;
    let rows = (0..rows).map(|n| ada(&n.to_string())).collect();
    inserting(&*driver, &user(), Default::default()).insert(&*driver, rows).await.unwrap();
    driver
}

#[tokio::test]
async fn a_row_is_found_by_its_key() {
    let folder = Folder::new();
    for url in [folder.url(), "sqlite::memory:".to_owned()] {
        let driver = filled(&url, 10).await;
        let by_key = by(&*driver, &user(), 0);
        assert!(by_key.prepared.is_short());
        let rows = by_key.fetch(&*driver, &[Datum::Int(7)]).await.unwrap();
        assert_eq!(rows, [vec![Datum::Int(7), Datum::Text("Ada".into()), Datum::Text("6".into()), Datum::Int(36)]]);
        assert!(by_key.fetch(&*driver, &[Datum::Int(70)]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn rows_that_are_handed_over_half_way_are_all_there_once() {
    let folder = Folder::new();
    let driver = filled(&folder.url(), 100_000).await;
    let mut select = SelectStatement::new(user(), Condition::Const(true));
    select.order_by = vec![OrderBy { expr: Expr::Field(0), direction: Default::default(), nulls: None }];
    let rows = Ready::new(&*driver, Statement::Select(select), &[]).fetch(&*driver, &[]).await.unwrap();
    assert_eq!(rows.len(), 100_000);
    for (row, key) in rows.iter().zip(1..) {
        assert_eq!(row[0], Datum::Int(key));
    }
}

#[tokio::test]
async fn a_statement_that_was_interrupted_begins_anew_with_its_parameters() {
    let folder = Folder::new();
    let driver = connect(&folder.url()).await.unwrap();
    let raw = Raw {
        text: "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
               SELECT i FROM n WHERE i < 100 OR i > 999900"
            .into(),
        parameters: vec![Datum::Int(50)],
    };
    let sink: Box<dyn RowSink> = Box::new(Rows::default());
    let (sink, _) = driver.raw(&raw, sink).await.unwrap();
    let rows = sink.into_any().downcast::<Rows>().unwrap().rows;
    let wanted: Vec<Vec<Datum>> = (50..100).chain(999_901..=1_000_000).map(|i| vec![Datum::Int(i)]).collect();
    assert_eq!(rows, wanted);
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_query_lets_other_tasks_run() {
    let folder = Folder::new();
    let driver = connect(&folder.url()).await.unwrap();
    let turns = Arc::new(AtomicU32::new(0));
    let counter = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                turns.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let begun = Instant::now();
    assert_eq!(value(&*driver, LONG).await, Datum::Int(20_000_000));
    let took = begun.elapsed();
    counter.abort();
    // every second or so would do to show it; a blocked executor would have let none run
    assert!(u128::from(turns.load(Ordering::Relaxed)) * 20 > took.as_millis(), "{turns:?} turns in {took:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_loop_of_short_queries_lets_other_tasks_run() {
    let driver = filled("sqlite::memory:", 10).await;
    let turns = Arc::new(AtomicU32::new(0));
    let counter = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                tokio::task::yield_now().await;
                turns.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let by_key = by(&*driver, &user(), 0);
    for _ in 0..2_000 {
        by_key.fetch(&*driver, &[Datum::Int(7)]).await.unwrap();
    }
    counter.abort();
    assert!(turns.load(Ordering::Relaxed) >= 5);
}

#[tokio::test]
async fn a_list_of_100_000_values_is_one_parameter() {
    let driver = filled("sqlite::memory:", 1_000).await;
    let list = Condition::In { expr: Expr::Field(0), list: InList::Whole(Expr::Parameter(0)), negated: false };
    let select = SelectStatement::new(user(), list);
    let types = [ValueType::List(Box::new(ValueType::I64))];
    let ready = Ready::new(&*driver, Statement::Select(select), &types);
    let wanted = Datum::List((500..100_500).map(Datum::Int).collect());
    assert_eq!(ready.fetch(&*driver, &[wanted]).await.unwrap().len(), 501);
}

#[tokio::test]
async fn a_text_of_50_megabytes_comes_back() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let large = "ä".repeat(25_000_000);
    let row = vec![Datum::Null, Datum::Text(large.as_str().into()), Datum::Text("a".into()), Datum::Null];
    inserting(&*driver, &user(), Default::default()).insert(&*driver, vec![row]).await.unwrap();
    let rows = all(&*driver, &user()).fetch(&*driver, &[]).await.unwrap();
    assert!(matches!(&rows[0][1], Datum::Text(text) if **text == *large));
    let rows = by(&*driver, &user(), 1).fetch(&*driver, &[Datum::Text(large.as_str().into())]).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn streams_give_all_rows_in_batches() {
    let (folder, other) = (Folder::new(), Folder::new());
    for url in [folder.url(), "sqlite::memory:".to_owned(), format!("{}&locking=exclusive", other.url())] {
        let driver = filled(&url, 2_500).await;
        let select = all(&*driver, &user());
        let update = updating(&*driver, &user(), 0, 3);
        let mut stream = driver.stream(select.call(&[])).await.unwrap();
        let (mut seen, mut batches, mut is_more) = (0, 0, true);
        while is_more {
            let (sink, more) = stream.next(Box::new(Rows::wide(4)), 1_000).await.unwrap();
            let rows = sink.into_any().downcast::<Rows>().unwrap().rows;
            assert!(rows.len() <= 1_000);
            for row in rows {
                seen += 1;
                assert_eq!(row[0], Datum::Int(seen));
            }
            // a writer does not wait for the stream
            assert_eq!(update.execute(&*driver, &[Datum::Int(seen), Datum::Int(1)]).await.unwrap(), 1);
            batches += 1;
            is_more = more;
        }
        assert_eq!((seen, batches), (2_500, 3));
        let (sink, more) = stream.next(Box::new(Rows::wide(4)), 1_000).await.unwrap();
        assert!(!more && sink.into_any().downcast::<Rows>().unwrap().rows.is_empty());
    }
}

#[tokio::test]
async fn a_dropped_stream_frees_its_connection() {
    let folder = Folder::new();
    let driver = filled(&format!("{}&readers=1&acquire_timeout=2s", folder.url()), 2_500).await;
    let select = all(&*driver, &user());
    for _ in 0..3 {
        let mut stream = driver.stream(select.call(&[])).await.unwrap();
        assert!(stream.next(Box::new(Rows::wide(4)), 10).await.unwrap().1);
        drop(stream);
        assert_eq!(select.fetch(&*driver, &[]).await.unwrap().len(), 2_500);
    }
}

#[tokio::test]
async fn waiting_too_long_for_a_connection_says_how_many_there_are() {
    let folder = Folder::new();
    let driver = filled(&format!("{}&readers=1&acquire_timeout=50ms", folder.url()), 20).await;
    let select = all(&*driver, &user());
    let _stream = driver.stream(select.call(&[])).await.unwrap();
    let error = select.fetch(&*driver, &[]).await.unwrap_err();
    assert!(error.is_timeout() && error.message().contains("1 reading connection"), "{error}");
    assert!(error.message().contains("`readers`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_the_readers() {
    let folder = Folder::new();
    let driver = filled(&folder.url(), 1_000).await;
    let tasks: Vec<_> = (0..64)
        .map(|task: i64| {
            let driver = Arc::clone(&driver);
            tokio::spawn(async move {
                let by_key = by(&*driver, &user(), 0);
                for key in 1..=100 {
                    let key = (key * 7 + task) % 1_000 + 1;
                    let rows = by_key.fetch(&*driver, &[Datum::Int(key)]).await.unwrap();
                    assert_eq!(rows[0][0], Datum::Int(key));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn explaining_shows_the_plan_without_running() {
    let driver = filled("sqlite::memory:", 10).await;
    let by_key = by(&*driver, &user(), 0);
    let plan = driver.explain(by_key.call(&[])).await.unwrap().unwrap();
    assert!(plan.contains("SEARCH User USING INTEGER PRIMARY KEY"), "{plan}");
}
