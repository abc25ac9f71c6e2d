//! Relations as a program sees them: fields, loading, eager loading, writes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test panics")]

#[path = "relations/fields.rs"]
mod fields;
#[path = "relations/warnings.rs"]
mod warnings;

use ommi::prelude::*;
use ommi::testing::counted;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    title: String,
    #[ommi(references = Author, index)]
    author_id: i64,
    author: One<Author>,
    #[ommi(through = BookTag)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Tag {
    #[ommi(key)]
    name: String,
    #[ommi(through = BookTag)]
    books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct BookTag {
    #[ommi(key, references = Book, on_delete = cascade)]
    book_id: i64,
    #[ommi(key, references = Tag)]
    tag: String,
}

type Library = (Author, Book, Tag, BookTag);

async fn library(db: &Db) -> Result<()> {
    db.create::<Library>().await?;
    let tag = |name: &str| Tag { name: name.into(), ..Default::default() };
    db.add_all(["fantasy", "science", "essay"].map(tag)).await?;
    for name in ["Ursula", "Stanisław", "Nobody"] {
        let author = db.add(Author { name: name.into(), ..Default::default() }).await?;
        if name != "Nobody" {
            for title in ["one", "two"] {
                let title = format!("{name} {title}");
                let book = db.add(Book { title, author_id: author.id, ..Default::default() }).await?;
                let tags: &[&str] = if author.id == 1 { &["fantasy", "essay"] } else { &["science"] };
                db.add_all(tags.iter().map(|tag| BookTag { book_id: book.id, tag: (*tag).into() })).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn nested_loops_load_each_relation_once() -> Result<()> {
    let (db, statements) = counted("sqlite::memory:").await?;
    library(&db).await?;
    statements.reset();
    let authors = db.find(Author::all()).order_by(Author::ID.asc()).all().await?;
    let mut seen = Vec::new();
    for author in &authors {
        for book in author.books.get().await? {
            assert_eq!(book.author.get().await?.name, author.name);
            for tag in book.tags.get().await? {
                seen.push(format!("{} {} {}", author.name, book.title, tag.name));
            }
        }
    }
    seen.sort();
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[0], "Stanisław Stanisław one science");
    // authors, books, their authors, tags
    assert_eq!(statements.get(), 4);
    assert!(authors[2].books.get().await?.is_empty());
    assert_eq!(statements.get(), 4);
    Ok(())
}

#[tokio::test]
async fn eager_loading_takes_a_query_a_level() -> Result<()> {
    let (db, statements) = counted("sqlite::memory:").await?;
    library(&db).await?;
    statements.reset();
    let query = db.find(Author::all()).order_by(Author::ID.asc());
    let authors = query.with(Author::BOOKS.order_by(Book::TITLE.desc()).limit(1).with(Book::TAGS)).all().await?;
    let sent = statements.get();
    let books: Vec<&[Book]> = authors.iter().map(|author| author.books.loaded().unwrap()).collect();
    assert_eq!(books.iter().map(|books| books.len()).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(books[0][0].title, "Ursula two");
    assert_eq!(books[0][0].tags.loaded().unwrap().len(), 2);
    assert_eq!(statements.get(), sent);
    assert!(format!("{:?}", authors[0]).contains("books: loaded"));
    Ok(())
}

#[tokio::test]
async fn a_graph_is_added_in_one_call() -> Result<()> {
    let (db, statements) = counted("sqlite::memory:").await?;
    db.create::<Library>().await?;
    let book = |title: &str| Book { title: title.into(), ..Default::default() };
    let author =
        |name: &str| Author { name: name.into(), books: Many::new([book("a"), book("b")]), ..Default::default() };
    statements.reset();
    let authors = db.add_all([author("x"), author("y")]).await?;
    assert_eq!(statements.get(), 2);
    for author in &authors {
        let books = author.books.get().await?;
        assert!(books.iter().all(|book| book.author_id == author.id && book.id > 0));
        assert_eq!(books[0].author.get().await?.name, author.name);
    }
    let mut late = Book {
        title: "late".into(),
        author: One::new(Author { name: "z".into(), ..Default::default() }),
        ..Default::default()
    };
    late = db.add(late).await?;
    assert_eq!(late.author.get().await?.id, late.author_id);
    late.author.set(authors[0].clone());
    db.save(&mut late).await?;
    assert_eq!(late.author_id, authors[0].id);
    assert_eq!(db.get::<Book>(late.id).await?.author.get().await?.name, "x");
    Ok(())
}

#[tokio::test]
async fn relations_of_rows_follow_their_transaction() -> Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
    library(&db).await?;
    let (committed, inside) = db
        .transaction(async |tx| {
            let first = tx.get::<Author>(1).await?;
            let second = tx.get::<Author>(2).await?;
            assert_eq!(second.books.get().await?.len(), 2);
            Ok((first, second))
        })
        .await?;
    assert!(inside.books.is_loaded());
    assert_eq!(committed.books.get().await?.len(), 2);
    let mut lost = None;
    let _: Result<()> = db
        .transaction(async |tx| {
            lost = Some(tx.get::<Author>(1).await?);
            Err(Error::query("no"))
        })
        .await;
    assert!(lost.unwrap().books.get().await.unwrap_err().is_detached());
    let error = Author::default().books.get().await.unwrap_err();
    assert!(error.is_detached());
    Ok(())
}

#[tokio::test]
async fn models_without_relation_fields_are_related_by_their_fields() -> Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
    library(&db).await?;
    let links = db.find(BookTag::all()).all().await?;
    let books = BookTag::BOOK_ID.leads_to(Book::ID).of(&db, &links).await?;
    for (link, book) in links.iter().zip(books.iter()) {
        assert_eq!(book.unwrap().id, link.book_id);
    }
    let tags = db.find(Tag::all()).all().await?;
    let of_tags = BookTag::TAG.leads_to(Tag::NAME).inverse().of(&db, &tags).await?;
    assert_eq!(of_tags.iter().map(<[_]>::len).sum::<usize>(), 6);
    let authors = Book::AUTHOR.inverse().of(&db, &db.find(Author::all()).all().await?).await?;
    assert_eq!(authors.len(), 3);
    Ok(())
}

#[tokio::test]
async fn filters_go_across_relations() -> Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
    library(&db).await?;
    let names = async |filter| -> Result<Vec<String>> {
        let authors = db.strict().find::<Author>(filter).order_by(Author::NAME.asc()).all().await?;
        Ok(authors.into_iter().map(|author| author.name).collect())
    };
    assert_eq!(names(Author::BOOKS.any(Book::TITLE.contains("Ursula"))).await?, ["Ursula"]);
    assert_eq!(names(Author::BOOKS.none(Book::all())).await?, ["Nobody"]);
    assert_eq!(names(Author::BOOKS.all(Book::TITLE.contains("Ursula"))).await?, ["Nobody", "Ursula"]);
    assert_eq!(names(Author::BOOKS.any(Book::TAGS.any(Tag::NAME.eq("science")))).await?, ["Stanisław"]);
    assert_eq!(names(Author::BOOKS.count().gt(1)).await?, ["Stanisław", "Ursula"]);
    assert_eq!(names(Author::BOOKS.filter(Book::TITLE.ends_with("one")).count().eq(1)).await?, ["Stanisław", "Ursula"]);
    let books = db.find(Book::AUTHOR.has(Author::NAME.eq("Ursula"))).count().await?;
    assert_eq!(books, 2);
    let ordered = db.strict().find(Book::all()).order_by((Book::AUTHOR.at(Author::NAME).desc(), Book::ID.asc()));
    let ordered: Vec<i64> = ordered.all().await?.iter().map(|book| book.author_id).collect();
    assert_eq!(ordered, [1, 1, 2, 2]);
    let tags = db.find(Tag::all()).order_by(Tag::NAME.asc()).select((Tag::NAME, Tag::BOOKS.count())).all().await?;
    assert_eq!(tags, [("essay".into(), 2), ("fantasy".into(), 2), ("science".into(), 2)]);
    let last = db
        .find(Author::all())
        .order_by(Author::ID.asc())
        .select((Author::NAME, Author::BOOKS.aggregate(Book::TITLE.max())))
        .all()
        .await?;
    assert_eq!(last[0], ("Ursula".into(), Some("Ursula two".into())));
    assert_eq!(last[2].1, None);
    Ok(())
}

#[derive(Value, Clone, Debug, PartialEq)]
enum Subject {
    Post(i64),
    Photo(i64),
}

impl Default for Subject {
    fn default() -> Self {
        Subject::Post(0)
    }
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Post {
    #[ommi(key, auto)]
    id: i64,
    title: String,
    comments: Many<Comment>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Photo {
    #[ommi(key, auto)]
    id: i64,
    comments: Many<Comment>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Comment {
    #[ommi(key, auto)]
    id: i64,
    text: String,
    #[ommi(references = (Post, Photo))]
    subject: Subject,
    post: One<Option<Post>>,
    photo: One<Option<Photo>>,
}

#[tokio::test]
async fn one_field_references_one_of_several_models() -> Result<()> {
    let (db, statements) = counted("sqlite::memory:").await?;
    db.create::<(Post, Photo, Comment)>().await?;
    let mut post = db.add(Post { title: "p".into(), ..Default::default() }).await?;
    let mut photo = db.add(Photo::default()).await?;
    let comment = |text: &str| Comment { text: text.into(), ..Default::default() };
    let added = photo.comments.add(comment("on a photo")).await?;
    assert_eq!(added.subject, Subject::Photo(photo.id));
    post.comments.add_all([comment("a"), comment("b")]).await?;
    assert_eq!(post.comments.get().await?.len(), 2);
    statements.reset();
    let comments = db.find(Comment::all()).order_by(Comment::ID.asc()).all().await?;
    let mut seen = Vec::new();
    for comment in &comments {
        seen.push((comment.post.get().await?.is_some(), comment.photo.get().await?.is_some()));
    }
    assert_eq!(seen, [(false, true), (true, false), (true, false)]);
    assert_eq!(statements.get(), 3);
    assert_eq!(db.find(Comment::POST.has(Post::TITLE.eq("p"))).count().await?, 2);
    assert_eq!(db.find(Photo::COMMENTS.any(Comment::TEXT.eq("a"))).count().await?, 0);
    assert_eq!(db.find(Comment::SUBJECT.at(Subject::KIND).eq("Photo")).count().await?, 1);
    Ok(())
}

#[tokio::test]
async fn rows_are_linked_and_unlinked() -> Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
    library(&db).await?;
    let mut book = db.get::<Book>(1).await?;
    let science = db.get::<Tag>("science").await?;
    book.tags.get().await?;
    book.tags.link(&science).await?;
    book.tags.link(&science).await?;
    assert_eq!(book.tags.loaded().unwrap().len(), 3);
    assert!(book.tags.unlink(&science).await?);
    assert!(!book.tags.unlink(&science).await?);
    assert_eq!(book.tags.loaded().unwrap().len(), 2);
    book.tags.add(Tag { name: "new".into(), ..Default::default() }).await?;
    assert_eq!(db.get::<Book>(1).await?.tags.get().await?.len(), 3);
    let author = db.get::<Author>(1).await?;
    let mut books = author.books.clone();
    assert!(books.remove(&book).await.unwrap_err().is_query());
    assert!(books.link(&book).await.unwrap_err().is_query());
    let added = books.add(Book { title: "third".into(), ..Default::default() }).await?;
    assert_eq!(added.author_id, 1);
    Ok(())
}
