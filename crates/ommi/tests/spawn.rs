//! Every future of the API can be spawned, and transactions take closures of every usual shape.

use ommi::prelude::*;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    #[ommi(unique)]
    email: String,
    born: Option<Date>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(index)]
    title: String,
    price: Decimal,
    sold: i32,
    #[ommi(references = Author)]
    author_id: i64,
}

async fn sample(db: Db) -> Result<()> {
    db.create::<(Author, Book)>().await?;
    let ursula = db.add(Author { name: "Ursula".into(), email: "u@example.org".into(), ..Default::default() }).await?;
    assert_eq!(ursula.id, 1);
    let titles = ["A Wizard of Earthsea", "The Tombs of Atuan", "Rocannon's World"];
    let books = (1..).zip(titles).map(|(price, title)| Book {
        title: title.into(),
        price: Decimal::from(price * 4),
        author_id: ursula.id,
        ..Default::default()
    });
    let books = db.add_all(books).await?;
    assert_eq!(books.iter().map(|book| book.id).collect::<Vec<_>>(), [1, 2, 3]);
    let cheap = db
        .find(Book::PRICE.lt(dec!(10)) & Book::TITLE.contains("Earth"))
        .order_by(Book::TITLE.asc())
        .limit(20)
        .all()
        .await?;
    assert!(cheap.iter().eq(books.first()));
    assert_eq!(Some(&db.get::<Book>(1).await?), books.first());
    assert!(db.get::<Book>(99).await.is_err_and(|error| error.is_not_found()));
    assert_eq!(db.find(Book::ID.eq(1)).optional().await?.as_ref(), books.first());
    assert_eq!(
        db.find(Book::PRICE.gt(5)).update((Book::PRICE.set(dec!(49)), Book::SOLD.set(Book::SOLD + 1))).await?,
        2
    );
    assert_eq!(db.find(Author::BORN.is_null() & Author::NAME.eq("x")).delete().await?, 0);
    let stats: Vec<(i64, i64, Decimal)> = db
        .find(Book::all())
        .group_by(Book::AUTHOR_ID)
        .select((Book::AUTHOR_ID, count(), Book::PRICE.avg()))
        .having(count().gt(2))
        .all()
        .await?;
    assert_eq!(stats, [(1, 3, dec!(34))]);
    let (all, mean, last) = db.find(Book::all()).aggregate((count(), Book::SOLD.avg(), Book::TITLE.max())).await?;
    assert_eq!((all, mean, last.as_deref()), (3, Some(dec!(0.666666666667)), Some("The Tombs of Atuan")));
    let mut rows = db.find(Book::all()).order_by((Book::PRICE.desc(), Book::ID.asc())).stream().await?;
    let mut ids = Vec::new();
    while let Some(book) = rows.next().await? {
        ids.push(book.id);
    }
    assert_eq!(ids, [2, 3, 1]);
    Ok(())
}

async fn shapes(db: Db) -> Result<i64> {
    let outer = Author { name: "outer".into(), ..Default::default() };
    let name = String::from("inner");
    let mut counter = 0;
    let id = db
        .transaction(async |tx| {
            let added = tx.add(Author { email: "a".into(), ..outer.clone() }).await?;
            counter += 1;
            tx.transaction(async |tx| {
                tx.add(Author { name: name.clone(), email: "b".into(), ..Default::default() }).await?;
                tx.transaction(async |tx| {
                    tx.add(Author { email: "c".into(), ..Default::default() }).await?;
                    counter += 1;
                    Ok(())
                })
                .await
            })
            .await?;
            let refused =
                tx.transaction(async |tx| tx.add(Author { email: "a".into(), ..Default::default() }).await).await;
            assert!(refused.is_err_and(|error| error.is_unique_violation()));
            borrowed(tx, &added).await?;
            Ok(added.id)
        })
        .await?;
    assert_eq!(counter, 2);
    Ok(id)
}

async fn borrowed(db: &Db, author: &Author) -> Result<()> {
    db.transaction(async |tx| {
        tx.add(Author { id: 0, email: "d".into(), ..author.clone() }).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn futures_can_be_spawned() {
    let db = ommi::connect("sqlite::memory:").await.unwrap();
    tokio::spawn(sample(db.clone())).await.unwrap().unwrap();
    tokio::spawn(shapes(db.clone())).await.unwrap().unwrap();
    assert_eq!(db.find(Author::all()).count().await.unwrap(), 5);
    let query = db.find(Book::ID.eq(1));
    tokio::spawn(async move {
        tokio::task::yield_now().await;
        drop(query.limit(1));
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_database_used_inside_its_transaction_is_an_error() {
    let db = ommi::connect("sqlite::memory:").await.unwrap();
    db.create::<Author>().await.unwrap();
    let answer = db.transaction(async |_| db.find(Author::all()).count().await).await;
    assert!(answer.unwrap_err().is_transaction());
    let outside = db.transaction(async |_| db.outside().find(Author::all()).count().await).await;
    assert_eq!(outside.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn retried_and_explicit_transactions_can_be_spawned() {
    fn can_be_kept<T: Send + Sync + 'static>(_: &T) {}

    let db = ommi::connect("sqlite::memory:").await.unwrap();
    db.create::<Author>().await.unwrap();
    let retried = {
        let db = db.clone();
        async move {
            let name = String::from("retried");
            db.options()
                .retry(3)
                .transaction(|tx| {
                    let name = name.clone();
                    async move { tx.add(Author { name, ..Default::default() }).await }
                })
                .await
        }
    };
    tokio::spawn(retried).await.unwrap().unwrap();
    let tx = tokio::spawn(db.begin()).await.unwrap().unwrap();
    can_be_kept(&tx);
    let handle = Db::clone(&tx);
    tokio::spawn(async move { handle.add(Author { email: "b".into(), ..Default::default() }).await })
        .await
        .unwrap()
        .unwrap();
    tokio::spawn(tx.commit()).await.unwrap().unwrap();
    assert_eq!(db.find(Author::all()).count().await.unwrap(), 2);
}
