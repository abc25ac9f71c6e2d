//! References between models.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::fill;

cases! { "references":
    a_reference_to_an_absent_row_is_refused needs REFERENCES,
    a_reference_violation_names_its_fields needs REFERENCES,
    a_null_reference_is_free needs REFERENCES,
    a_referenced_row_is_not_deleted needs REFERENCES,
    a_referenced_key_is_not_changed needs REFERENCES,
    an_update_to_an_absent_row_is_refused needs REFERENCES,
    a_deletion_cascades_where_asked needs REFERENCES,
    a_deletion_cascades_over_several_models needs REFERENCES,
    a_deletion_sets_null_where_asked needs REFERENCES,
    a_change_of_the_key_cascades_where_asked needs REFERENCES,
    a_composite_reference_is_kept_as_a_whole needs REFERENCES,
    a_reference_to_a_unique_field_is_kept needs REFERENCES UNIQUE,
    a_model_references_itself needs REFERENCES,
    models_reference_each_other_in_a_circle needs REFERENCES,
    an_unenforced_reference_may_dangle,
    a_batch_may_reference_rows_of_itself needs REFERENCES,
    a_refused_reference_leaves_a_batch_unwritten needs REFERENCES TRANSACTIONS,
    a_referenced_table_is_not_dropped needs REFERENCES,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author)]
    author_id: i64,
    #[ommi(references = Author, on_delete = set_null)]
    editor_id: Option<i64>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Page {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Book, on_delete = cascade, on_update = cascade)]
    book_id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Note {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Page, on_delete = cascade)]
    page_id: i64,
}

fn author(id: i64) -> Author {
    Author { id, name: format!("author {id}") }
}

fn book(id: i64, author_id: i64, editor_id: Option<i64>) -> Book {
    Book { id, author_id, editor_id }
}

async fn library(db: &Db) -> Result<()> {
    db.create::<(Note, Page, Book, Author)>().await?;
    db.add_all([1, 2, 3].map(author)).await?;
    db.add_all([book(1, 1, None), book(2, 2, Some(3))]).await?;
    db.add_all([1, 2].map(|id| Page { id, book_id: 1 })).await?;
    db.add_all([1, 2, 3].map(|id| Note { id, page_id: 1 })).await?;
    Ok(())
}

async fn a_reference_to_an_absent_row_is_refused(db: Db) -> Verdict {
    library(&db).await?;
    let error = refused(db.add(book(3, 99, None)).await)?;
    check!(error.is_reference_violation(), "{error}");
    check_eq!(error.kind(), ommi::ErrorKind::Constraint);
    check_eq!(db.find(Book::all()).count().await?, 2);
    Ok(())
}

async fn a_reference_violation_names_its_fields(db: Db) -> Verdict {
    library(&db).await?;
    let error = refused(db.add(book(3, 99, None)).await)?;
    check_eq!((error.model(), error.fields()), (Some("Book"), &["author_id".to_owned()][..]));
    let error = refused(db.add(book(3, 1, Some(99))).await)?;
    check_eq!((error.model(), error.fields()), (Some("Book"), &["editor_id".to_owned()][..]));
    Ok(())
}

async fn a_null_reference_is_free(db: Db) -> Verdict {
    library(&db).await?;
    db.add(book(3, 1, None)).await?;
    db.add(book(4, 1, Some(1))).await?;
    check_eq!(db.find(Book::EDITOR_ID.is_null()).count().await?, 2);
    Ok(())
}

async fn a_referenced_row_is_not_deleted(db: Db) -> Verdict {
    library(&db).await?;
    let error = refused(db.delete(&author(1)).await)?;
    check!(error.is_reference_violation(), "{error}");
    check!(refused(db.find(Author::all()).delete().await)?.is_reference_violation());
    check_eq!(db.find(Author::all()).count().await?, 3);
    db.find(Book::AUTHOR_ID.eq(1)).delete().await?;
    db.delete(&author(1)).await?;
    Ok(())
}

async fn a_referenced_key_is_not_changed(db: Db) -> Verdict {
    library(&db).await?;
    check!(refused(db.find(Author::ID.eq(1)).update(Author::ID.set(50)).await)?.is_reference_violation());
    check_eq!(db.find(Author::ID.eq(1)).update(Author::NAME.set("x")).await?, 1);
    Ok(())
}

async fn an_update_to_an_absent_row_is_refused(db: Db) -> Verdict {
    library(&db).await?;
    let error = refused(db.find(Book::ID.eq(1)).update(Book::AUTHOR_ID.set(99)).await)?;
    check!(error.is_reference_violation(), "{error}");
    check_eq!(db.find(Book::ID.eq(1)).update(Book::AUTHOR_ID.set(3)).await?, 1);
    check!(refused(db.update(&book(1, 99, None), Book::AUTHOR_ID).await)?.is_reference_violation());
    check_eq!(db.get::<Book>(1).await?, book(1, 3, None));
    Ok(())
}

async fn a_deletion_cascades_where_asked(db: Db) -> Verdict {
    library(&db).await?;
    db.add(Page { id: 3, book_id: 2 }).await?;
    check_eq!(db.find(Book::ID.eq(1)).delete().await?, 1);
    check_eq!(db.find(Page::all()).all().await?, [Page { id: 3, book_id: 2 }]);
    Ok(())
}

async fn a_deletion_cascades_over_several_models(db: Db) -> Verdict {
    library(&db).await?;
    db.delete(&book(1, 1, None)).await?;
    check_eq!(db.find(Note::all()).count().await?, 0);
    Ok(())
}

async fn a_deletion_sets_null_where_asked(db: Db) -> Verdict {
    library(&db).await?;
    db.delete(&author(3)).await?;
    check_eq!(db.get::<Book>(2).await?, book(2, 2, None));
    Ok(())
}

async fn a_change_of_the_key_cascades_where_asked(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(db.find(Book::ID.eq(1)).update(Book::ID.set(100)).await?, 1);
    let books = db.find(Page::all()).order_by(Page::ID.asc()).select(Page::BOOK_ID).all().await?;
    check_eq!(books, [100, 100]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Flight {
    #[ommi(key)]
    carrier: String,
    #[ommi(key)]
    number: i32,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(references((carrier, number) = Flight, on_delete = cascade))]
struct Ticket {
    #[ommi(key)]
    id: i64,
    carrier: Option<String>,
    number: Option<i32>,
}

async fn a_composite_reference_is_kept_as_a_whole(db: Db) -> Verdict {
    db.create::<(Ticket, Flight)>().await?;
    let flight = |carrier: &str, number| Flight { carrier: carrier.into(), number };
    let ticket = |id, carrier: Option<&str>, number| Ticket { id, carrier: carrier.map(Into::into), number };
    db.add_all([flight("a", 1), flight("b", 2)]).await?;
    db.add_all([ticket(1, Some("a"), Some(1)), ticket(2, None, None), ticket(3, Some("z"), None)]).await?;
    let error = refused(db.add(ticket(4, Some("a"), Some(2))).await)?;
    check!(error.is_reference_violation(), "{error}");
    check_eq!(error.fields(), ["carrier", "number"]);
    db.delete(&flight("a", 1)).await?;
    let left = db.find(Ticket::all()).order_by(Ticket::ID.asc()).select(Ticket::ID).all().await?;
    check_eq!(left, [2, 3]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Plane {
    #[ommi(key)]
    id: i64,
    #[ommi(unique)]
    tail: String,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Hop {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Plane::TAIL)]
    tail: String,
}

async fn a_reference_to_a_unique_field_is_kept(db: Db) -> Verdict {
    db.create::<(Plane, Hop)>().await?;
    db.add(Plane { id: 1, tail: "N1".into() }).await?;
    db.add(Hop { id: 1, tail: "N1".into() }).await?;
    check!(refused(db.add(Hop { id: 2, tail: "n1".into() }).await)?.is_reference_violation());
    check!(refused(db.find(Plane::all()).delete().await)?.is_reference_violation());
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Employee {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Employee)]
    boss_id: Option<i64>,
}

fn employee(id: i64, boss_id: Option<i64>) -> Employee {
    Employee { id, boss_id }
}

async fn a_model_references_itself(db: Db) -> Verdict {
    fill(&db, vec![employee(1, None), employee(2, Some(1)), employee(3, Some(3))]).await?;
    check!(refused(db.add(employee(4, Some(9))).await)?.is_reference_violation());
    check!(refused(db.delete(&employee(1, None)).await)?.is_reference_violation());
    db.delete(&employee(3, Some(3))).await?;
    db.delete(&employee(2, Some(1))).await?;
    db.delete(&employee(1, None)).await?;
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Left {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Right)]
    right_id: Option<i64>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Right {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Left)]
    left_id: Option<i64>,
}

async fn models_reference_each_other_in_a_circle(db: Db) -> Verdict {
    db.create::<(Left, Right)>().await?;
    db.add(Left { id: 1, right_id: None }).await?;
    db.add(Right { id: 1, left_id: Some(1) }).await?;
    db.find(Left::ID.eq(1)).update(Left::RIGHT_ID.set(1)).await?;
    check!(refused(db.add(Left { id: 2, right_id: Some(5) }).await)?.is_reference_violation());
    check!(refused(db.find(Left::all()).delete().await)?.is_reference_violation());
    db.find(Left::all()).update(Left::RIGHT_ID.set(None)).await?;
    db.find(Right::all()).delete().await?;
    check_eq!(db.find(Left::all()).delete().await?, 1);
    db.drop::<(Left, Right)>().await?;
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Loose {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author, unenforced)]
    author_id: i64,
}

async fn an_unenforced_reference_may_dangle(db: Db) -> Verdict {
    db.create::<(Loose, Author)>().await?;
    db.add(author(1)).await?;
    db.add_all([Loose { id: 1, author_id: 1 }, Loose { id: 2, author_id: 99 }]).await?;
    db.delete(&author(1)).await?;
    check_eq!(db.find(Loose::all()).count().await?, 2);
    Ok(())
}

async fn a_batch_may_reference_rows_of_itself(db: Db) -> Verdict {
    fill(&db, (1..=500).map(|id| employee(id, (id > 1).then_some(id / 2).filter(|boss| *boss > 0))).collect()).await?;
    check_eq!(db.find(Employee::BOSS_ID.eq(1)).count().await?, 2);
    Ok(())
}

async fn a_refused_reference_leaves_a_batch_unwritten(db: Db) -> Verdict {
    library(&db).await?;
    check!(
        refused(db.add_all([book(3, 1, None), book(4, 99, None), book(5, 1, None)]).await)?.is_reference_violation()
    );
    check_eq!(db.find(Book::all()).count().await?, 2);
    Ok(())
}

async fn a_referenced_table_is_not_dropped(db: Db) -> Verdict {
    library(&db).await?;
    let error = refused(db.drop::<Author>().await)?;
    check!(error.is_reference_violation(), "{error}");
    check_eq!(db.find(Author::all()).count().await?, 3);
    db.drop::<(Author, Book, Page, Note)>().await?;
    Ok(())
}
