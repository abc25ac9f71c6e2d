//! Filters, values, joins and limits across models, as data: what relations are made of.

use std::slice::SliceIndex;
use std::sync::Arc;

use ommi::model::{Cardinality, FieldDef, Link, ModelBuilder, ModelDef, ReferenceDef, ReferenceTarget, RelationDef};
use ommi::prelude::*;
use ommi::query::{
    AggregateFunction, ArithmeticOperator, Comparison, Condition, Direction, Expr, Join, LimitBy, Nulls, OrderBy,
    TextOperator,
};
use ommi::value::{Datum, ValueType};
use ommi::{Dynamic, DynamicQuery};

use crate::check::{Verdict, present, refused};

cases! { "related":
    a_filter_finds_rows_with_a_related_one,
    a_filter_by_any_related_row_is_never_unknown,
    a_null_or_dangling_key_finds_nothing,
    a_condition_that_is_unknown_for_a_related_row_does_not_find_it,
    filters_across_compose_with_and_or_and_not,
    a_filter_says_that_all_related_rows_pass,
    a_filter_that_no_related_row_can_pass_finds_nothing,
    filters_across_nest,
    a_filter_may_lead_back_to_the_model_it_began_with,
    a_model_that_references_itself_is_filtered_by_its_own_rows,
    a_chain_of_self_references_is_followed,
    keys_of_several_fields_lead_to_rows,
    keys_of_text_lead_to_rows_by_code_point,
    keys_of_comparable_types_are_equal_by_value,
    a_link_to_a_field_that_is_no_key_finds_several_rows,
    a_link_of_a_kind_leads_to_rows_of_its_own_model_alone,
    is_true_makes_unknown_false,
    the_same_filter_twice_is_the_same,
    operators_inside_work_as_outside,
    constants_inside_are_told_apart,
    long_lists_work_inside,
    related_rows_are_counted,
    aggregates_of_related_rows_leave_nulls_out,
    aggregates_of_no_related_rows_are_null_and_counts_zero,
    distinct_values_of_related_rows_are_counted,
    a_field_of_the_one_related_row_is_a_value,
    an_expression_of_the_one_related_row_is_a_value,
    values_of_related_rows_nest,
    rows_are_filtered_by_the_number_of_related_ones,
    rows_are_ordered_by_a_field_of_the_related_row,
    rows_are_ordered_by_the_number_of_related_ones_and_limited,
    values_of_related_rows_are_computed_with,
    distinct_values_of_related_rows_are_selected,
    groups_of_rows_that_were_filtered_across_are_aggregated,
    rows_are_grouped_by_a_value_of_the_related_row,
    values_of_related_rows_are_aggregated,
    rows_filtered_across_are_counted,
    rows_filtered_across_are_updated,
    rows_filtered_across_are_deleted,
    rows_are_updated_by_a_filter_over_their_own_model,
    rows_are_deleted_by_a_filter_over_their_own_model,
    a_transaction_sees_its_own_related_rows needs TRANSACTIONS,
    a_select_of_no_rows_asks_for_no_related_ones,
    joined_rows_come_in_pairs needs JOINS,
    joined_rows_are_filtered_and_ordered_by_both_sides needs JOINS,
    a_join_of_a_list_of_keys_finds_the_rows_of_a_link_model needs JOINS,
    a_join_leaves_rows_without_a_partner_out needs JOINS,
    a_model_is_joined_with_itself needs JOINS,
    two_joins_multiply needs JOINS,
    joined_rows_are_grouped_and_counted needs JOINS,
    joined_rows_are_filtered_across needs JOINS,
    joined_rows_keep_their_types needs JOINS,
    the_first_rows_of_each_group_are_kept,
    rows_of_each_group_are_left_out_before_the_first,
    rows_are_limited_in_all_after_each_group_is,
    nulls_are_a_group_of_their_own_when_groups_are_limited,
    a_limit_of_groups_follows_orders_across,
    a_limit_of_groups_works_on_filtered_and_projected_rows,
    joined_rows_are_limited_by_group needs JOINS,
    a_single_value_of_several_related_rows_is_refused,
    a_link_from_another_model_is_refused,
    an_aggregate_among_the_conditions_on_related_rows_is_refused,
    types_inside_are_those_of_the_target,
    an_assignment_of_a_related_value_is_refused,
    a_filter_of_groups_by_related_rows_is_refused,
    a_limit_of_groups_is_refused_for_aggregates_and_distinct_rows,
    names_that_need_quotes_work_across,
    what_is_completed_across_is_explained_and_refused_when_strict,
}

fn field(index: u16) -> Expr {
    Expr::Field(index)
}

fn text(value: &str) -> Datum {
    Datum::Text(value.into())
}

fn int(value: impl Into<Option<i64>>) -> Datum {
    value.into().map_or(Datum::Null, Datum::Int)
}

fn ints<const N: usize>(values: [i64; N]) -> Vec<i64> {
    values.into()
}

fn is(index: u16, operator: Comparison, value: Datum) -> Condition {
    Condition::compare(field(index), operator, Expr::Literal(value))
}

fn equals(index: u16, value: Datum) -> Condition {
    is(index, Comparison::Eq, value)
}

fn all() -> Condition {
    Condition::Const(true)
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn any(link: &Arc<Link>, condition: Condition) -> Condition {
    Condition::Related { link: Arc::clone(link), condition: Box::new(condition) }
}

/// No related row but passes: unknown does not.
fn every(link: &Arc<Link>, condition: Condition) -> Condition {
    not(any(link, Condition::IsTrue { condition: Box::new(condition), negated: true }))
}

fn of(link: &Arc<Link>, condition: Condition, of: Expr) -> Expr {
    Expr::Related { link: Arc::clone(link), condition: Box::new(condition), of: Box::new(of) }
}

fn aggregate(function: AggregateFunction, of: u16) -> Expr {
    Expr::Aggregate { function, of: Some(Box::new(field(of))), distinct: false }
}

fn count() -> Expr {
    Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }
}

fn by(expr: Expr, direction: Direction) -> OrderBy {
    OrderBy { expr, direction, nulls: None }
}

fn up(index: u16) -> OrderBy {
    by(field(index), Direction::Ascending)
}

fn arithmetic(left: Expr, operator: ArithmeticOperator, right: Expr) -> Expr {
    Expr::Arithmetic { operator, left: Box::new(left), right: Box::new(right), value_type: ValueType::I64 }
}

// the fields of the models, by name
mod author {
    pub(super) const ID: u16 = 0;
    pub(super) const NAME: u16 = 1;
    pub(super) const MENTOR: u16 = 2;
}
mod book {
    pub(super) const ID: u16 = 0;
    pub(super) const TITLE: u16 = 1;
    pub(super) const PAGES: u16 = 2;
    pub(super) const PRICE: u16 = 3;
    pub(super) const AUTHOR: u16 = 4;
}
mod tag {
    pub(super) const CODE: u16 = 0;
    pub(super) const LABEL: u16 = 1;
}
mod book_tag {
    pub(super) const BOOK: u16 = 0;
    pub(super) const TAG: u16 = 1;
    pub(super) const WEIGHT: u16 = 2;
}

/// Five authors, seven books and three tags; the links between them.
struct Library {
    authors: Dynamic,
    books: Dynamic,
    tags: Dynamic,
    /// From a book to its author.
    author: Arc<Link>,
    /// From an author to its books.
    written: Arc<Link>,
    /// From an author to its mentor.
    mentor: Arc<Link>,
    /// From an author to those whose mentor it is.
    pupils: Arc<Link>,
    /// From a book to its rows of the link model.
    book_tags: Arc<Link>,
    /// From a row of the link model to its tag.
    to_tag: Arc<Link>,
    /// From a tag to its rows of the link model.
    tag_books: Arc<Link>,
    /// From a row of the link model to its book.
    to_book: Arc<Link>,
}

fn linked(source: &Arc<ModelDef>, from: &[u16], target: &Arc<ModelDef>, to: &[u16]) -> Result<Arc<Link>> {
    Link::new(source, target, from, to).map(Arc::new)
}

impl Library {
    async fn open(db: &Db) -> Result<Library> {
        let author = ModelBuilder::new("Author")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("name", ValueType::Text))
            .field(FieldDef::new("mentor_id", ValueType::I64).nullable(true))
            .key(["id"])
            .build()?;
        let book = ModelBuilder::new("Book")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("title", ValueType::Text))
            .field(FieldDef::new("pages", ValueType::I32).nullable(true))
            .field(FieldDef::new("price", ValueType::DECIMAL).nullable(true))
            .field(FieldDef::new("author_id", ValueType::I64).nullable(true))
            .key(["id"])
            .build()?;
        let tag = ModelBuilder::new("Tag")
            .field(FieldDef::new("code", ValueType::Text))
            .field(FieldDef::new("label", ValueType::Text))
            .key(["code"])
            .build()?;
        let book_tag = ModelBuilder::new("BookTag")
            .field(FieldDef::new("book_id", ValueType::I64))
            .field(FieldDef::new("tag", ValueType::Text))
            .field(FieldDef::new("weight", ValueType::I16).nullable(true))
            .key(["book_id", "tag"])
            .build()?;
        db.create_models(&[author.clone(), book.clone(), tag.clone(), book_tag.clone()]).await?;
        let library = Library {
            authors: db.model(&author),
            books: db.model(&book),
            tags: db.model(&tag),
            author: linked(&book, &[book::AUTHOR], &author, &[author::ID])?,
            written: linked(&author, &[author::ID], &book, &[book::AUTHOR])?,
            mentor: linked(&author, &[author::MENTOR], &author, &[author::ID])?,
            pupils: linked(&author, &[author::ID], &author, &[author::MENTOR])?,
            book_tags: linked(&book, &[book::ID], &book_tag, &[book_tag::BOOK])?,
            to_tag: linked(&book_tag, &[book_tag::TAG], &tag, &[tag::CODE])?,
            tag_books: linked(&tag, &[tag::CODE], &book_tag, &[book_tag::TAG])?,
            to_book: linked(&book_tag, &[book_tag::BOOK], &book, &[book::ID])?,
        };
        let authors = [(1, "Ursula", None), (2, "Stanisław", Some(1)), (3, "Octavia", Some(1)), (4, "Ted", Some(3))];
        let row = |(id, name, mentor): (i64, &str, Option<i64>)| vec![int(id), text(name), int(mentor)];
        let mut rows: Vec<Vec<Datum>> = authors.into_iter().map(row).collect();
        // whose mentor is nobody that is known
        rows.push(row((5, "Anna", Some(99))));
        library.authors.add_all(rows).await?;
        type Book = (i64, &'static str, Option<i64>, Option<i64>, Option<i64>);
        let books: [Book; 7] = [
            (10, "Earthsea", Some(200), Some(950), Some(1)),
            (11, "Lathe", Some(180), None, Some(1)),
            (12, "Solaris", Some(204), Some(1000), Some(2)),
            (13, "Kindred", None, Some(1200), Some(3)),
            (14, "Bloodchild", Some(144), Some(1200), Some(3)),
            (15, "Anonymous", Some(10), Some(100), None),
            (16, "Lost", Some(20), Some(100), Some(77)),
        ];
        let row = |(id, title, pages, cents, author): Book| {
            let price = cents.map_or(Datum::Null, |cents| Datum::Decimal(ommi::value::Decimal::new(cents, 2)));
            vec![int(id), text(title), int(pages), price, int(author)]
        };
        library.books.add_all(books.into_iter().map(row).collect()).await?;
        let tags = [("a", "classic"), ("A", "Classic"), ("b", "short")];
        library.tags.add_all(tags.into_iter().map(|(code, label)| vec![text(code), text(label)]).collect()).await?;
        let links = [
            (10, "a", Some(1)),
            (10, "b", None),
            (11, "a", Some(3)),
            (12, "A", Some(2)),
            (14, "b", Some(5)),
            (14, "zz", Some(1)),
            (99, "a", Some(1)),
        ];
        let row = |(book, tag, weight): (i64, &str, Option<i64>)| vec![int(book), text(tag), int(weight)];
        db.model(&book_tag).add_all(links.into_iter().map(row).collect()).await?;
        Ok(library)
    }

    async fn books(&self, condition: Condition) -> Result<Vec<i64>> {
        ids(self.books.find(condition)).await
    }

    async fn authors(&self, condition: Condition) -> Result<Vec<i64>> {
        ids(self.authors.find(condition)).await
    }

    /// A value for each of the five authors.
    async fn of_authors(&self, value: Expr) -> Result<Vec<Datum>> {
        first_of(self.authors.find(all()).order_by([up(author::ID)]).select([value])).await
    }

    /// A value for each of the seven books.
    async fn of_books(&self, value: Expr) -> Result<Vec<Datum>> {
        first_of(self.books.find(all()).order_by([up(book::ID)]).select([value])).await
    }

    /// The codes of a book's tags lead to this label.
    fn labelled(&self, label: &str) -> Condition {
        any(&self.book_tags, any(&self.to_tag, equals(tag::LABEL, text(label))))
    }
}

async fn first_of(query: DynamicQuery) -> Result<Vec<Datum>> {
    Ok(query.rows().await?.into_iter().filter_map(|row| row.into_iter().next()).collect())
}

/// The keys of the rows of a query, in order.
async fn ids(query: DynamicQuery) -> Result<Vec<i64>> {
    let mut ids = in_order(query).await?;
    ids.sort_unstable();
    Ok(ids)
}

async fn in_order(query: DynamicQuery) -> Result<Vec<i64>> {
    let id = |value: Datum| if let Datum::Int(id) = value { id } else { i64::MIN };
    Ok(first_of(query).await?.into_iter().map(id).collect())
}

async fn a_filter_finds_rows_with_a_related_one(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books(any(&library.author, equals(author::NAME, text("Ursula")))).await?, [10, 11]);
    check_eq!(library.authors(any(&library.written, is(book::PAGES, Comparison::Gt, int(190)))).await?, [1, 2]);
    check_eq!(library.authors(any(&library.written, all())).await?, [1, 2, 3]);
    Ok(())
}

async fn a_filter_by_any_related_row_is_never_unknown(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by_ursula = any(&library.author, equals(author::NAME, text("Ursula")));
    check_eq!(library.books(not(by_ursula.clone())).await?, [12, 13, 14, 15, 16]);
    check_eq!(library.books(by_ursula.clone().or(not(by_ursula))).await?.len(), 7);
    Ok(())
}

async fn a_null_or_dangling_key_finds_nothing(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books(any(&library.author, all())).await?, [10, 11, 12, 13, 14]);
    check_eq!(library.books(not(any(&library.author, all()))).await?, [15, 16]);
    Ok(())
}

async fn a_condition_that_is_unknown_for_a_related_row_does_not_find_it(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // the price of 11 and the pages of 13 are null
    check_eq!(library.authors(any(&library.written, is(book::PRICE, Comparison::Lt, int(10)))).await?, [1]);
    let dear = is(book::PRICE, Comparison::Ge, int(10));
    check_eq!(library.authors(any(&library.written, not(dear))).await?, [1]);
    check_eq!(library.authors(any(&library.written, equals(book::PAGES, Datum::Null))).await?, [3]);
    Ok(())
}

async fn filters_across_compose_with_and_or_and_not(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by_ursula = || any(&library.author, equals(author::NAME, text("Ursula")));
    let classic = || library.labelled("classic");
    check_eq!(library.books(by_ursula().and(is(book::PAGES, Comparison::Lt, int(190)))).await?, [11]);
    check_eq!(library.books(by_ursula().or(equals(book::PAGES, int(10)))).await?, [10, 11, 15]);
    check_eq!(library.books(classic().and(library.labelled("short"))).await?, [10]);
    check_eq!(library.books(classic().or(library.labelled("short"))).await?, [10, 11, 14]);
    check_eq!(library.books(not(classic().or(by_ursula()))).await?, [12, 13, 14, 15, 16]);
    check_eq!(library.books(not(classic()).and(any(&library.author, all()))).await?, [12, 13, 14]);
    Ok(())
}

async fn a_filter_says_that_all_related_rows_pass(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // those without any pass, a null does not
    check_eq!(library.authors(every(&library.written, is(book::PAGES, Comparison::Gt, int(150)))).await?, [1, 2, 4, 5]);
    check_eq!(library.authors(every(&library.written, is(book::PRICE, Comparison::Gt, int(9)))).await?, [2, 3, 4, 5]);
    check_eq!(library.authors(every(&library.written, Condition::Const(false))).await?, [4, 5]);
    Ok(())
}

async fn a_filter_that_no_related_row_can_pass_finds_nothing(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books(any(&library.author, Condition::Const(false))).await?, ints([]));
    check_eq!(library.books(not(any(&library.author, Condition::Const(false)))).await?.len(), 7);
    let none = Condition::is_in(field(author::NAME), []);
    check_eq!(library.books(any(&library.author, none)).await?, ints([]));
    Ok(())
}

async fn filters_across_nest(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // books by pupils of Ursula
    let of_pupils = any(&library.author, any(&library.mentor, equals(author::NAME, text("Ursula"))));
    check_eq!(library.books(of_pupils.clone()).await?, [12, 13, 14]);
    check_eq!(library.books(not(of_pupils)).await?, [10, 11, 15, 16]);
    // authors with a book that has a tag with this label
    check_eq!(library.authors(any(&library.written, library.labelled("short"))).await?, [1, 3]);
    // and of which no book has
    check_eq!(library.authors(not(any(&library.written, library.labelled("short")))).await?, [2, 4, 5]);
    // with a book that has no tag that is known
    let untagged = not(any(&library.book_tags, any(&library.to_tag, all())));
    check_eq!(library.authors(any(&library.written, untagged)).await?, [3]);
    Ok(())
}

async fn a_filter_may_lead_back_to_the_model_it_began_with(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // books whose author has written another that is cheap
    let cheap = is(book::PRICE, Comparison::Lt, int(10));
    check_eq!(library.books(any(&library.author, any(&library.written, cheap.clone()))).await?, [10, 11]);
    let classic = library.labelled("classic");
    let shares = any(&library.book_tags, any(&library.to_tag, any(&library.tag_books, any(&library.to_book, cheap))));
    check_eq!(library.books(shares).await?, [10, 11, 14]);
    check_eq!(library.books(any(&library.author, any(&library.written, classic))).await?, [10, 11]);
    Ok(())
}

async fn a_model_that_references_itself_is_filtered_by_its_own_rows(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.authors(any(&library.mentor, equals(author::NAME, text("Ursula")))).await?, [2, 3]);
    check_eq!(library.authors(any(&library.pupils, equals(author::NAME, text("Ted")))).await?, [3]);
    check_eq!(library.authors(not(any(&library.mentor, all()))).await?, [1, 5]);
    check_eq!(library.authors(not(any(&library.pupils, all()))).await?, [2, 4, 5]);
    Ok(())
}

async fn a_chain_of_self_references_is_followed(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let ursula = || equals(author::NAME, text("Ursula"));
    check_eq!(library.authors(any(&library.mentor, any(&library.mentor, ursula()))).await?, [4]);
    // not the name at the end, but the one between
    let between = any(&library.mentor, ursula()).and(equals(author::ID, int(3)));
    check_eq!(library.authors(any(&library.mentor, between)).await?, [4]);
    check_eq!(library.authors(any(&library.pupils, any(&library.pupils, all()))).await?, [1]);
    Ok(())
}

async fn keys_of_several_fields_lead_to_rows(db: Db) -> Verdict {
    let seat = ModelBuilder::new("Seat")
        .field(FieldDef::new("row", ValueType::I32))
        .field(FieldDef::new("letter", ValueType::Text))
        .field(FieldDef::new("class", ValueType::Text))
        .key(["row", "letter"])
        .build()?;
    let booking = ModelBuilder::new("Booking")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("row", ValueType::I32).nullable(true))
        .field(FieldDef::new("letter", ValueType::Text).nullable(true))
        .key(["id"])
        .build()?;
    db.create_models(&[seat.clone(), booking.clone()]).await?;
    let seats = [(1, "A", "first"), (1, "B", "first"), (2, "A", "second")];
    let row = |(row, letter, class): (i64, &str, &str)| vec![int(row), text(letter), text(class)];
    db.model(&seat).add_all(seats.into_iter().map(row).collect()).await?;
    let bookings = db.model(&booking);
    let text_or_null = |letter: Option<&str>| letter.map_or(Datum::Null, text);
    let rows = [
        (1, Some(1), Some("A")),
        (2, Some(1), Some("B")),
        (3, Some(2), Some("A")),
        (4, Some(2), Some("B")),
        (5, Some(1), None),
        (6, None, Some("A")),
    ];
    let row = |(id, row, letter): (i64, Option<i64>, Option<&str>)| vec![int(id), int(row), text_or_null(letter)];
    bookings.add_all(rows.into_iter().map(row).collect()).await?;
    let link = linked(&booking, &[2, 1], &seat, &[1, 0])?;
    check_eq!(ids(bookings.find(any(&link, equals(2, text("first"))))).await?, [1, 2]);
    check_eq!(ids(bookings.find(not(any(&link, all())))).await?, [4, 5, 6]);
    let classes = first_of(bookings.find(all()).order_by([up(0)]).select([of(&link, all(), field(2))])).await?;
    check_eq!(part(&classes, ..4), [text("first"), text("first"), text("second"), Datum::Null]);
    let back = Arc::new(link.reversed());
    let counts = db.model(&seat).find(all()).order_by([up(0), up(1)]).select([of(&back, all(), count())]);
    check_eq!(first_of(counts).await?, [int(1), int(1), int(1)]);
    Ok(())
}

async fn keys_of_text_lead_to_rows_by_code_point(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books(library.labelled("classic")).await?, [10, 11]);
    check_eq!(library.books(library.labelled("Classic")).await?, [12]);
    Ok(())
}

async fn keys_of_comparable_types_are_equal_by_value(db: Db) -> Verdict {
    let target = ModelBuilder::new("Target")
        .field(FieldDef::new("id", ValueType::U64))
        .field(FieldDef::new("amount", ValueType::DECIMAL))
        .key(["id"])
        .build()?;
    let source = ModelBuilder::new("Source")
        .field(FieldDef::new("id", ValueType::I16))
        .field(FieldDef::new("number", ValueType::I64).nullable(true))
        .key(["id"])
        .build()?;
    db.create_models(&[target.clone(), source.clone()]).await?;
    let decimal = |digits, scale| Datum::Decimal(ommi::value::Decimal::new(digits, scale));
    db.model(&target)
        .add_all(vec![
            vec![int(1), decimal(200, 2)],
            vec![int(i64::MAX), decimal(25, 1)],
            vec![Datum::UInt(u64::MAX), decimal(-3, 0)],
        ])
        .await?;
    let sources = db.model(&source);
    let rows = [(1, Some(1)), (2, Some(i64::MAX)), (3, Some(-1)), (4, None), (5, Some(2)), (6, Some(-3))];
    sources.add_all(rows.into_iter().map(|(id, number)| vec![int(id), int(number)]).collect()).await?;
    check_eq!(ids(sources.find(any(&linked(&source, &[1], &target, &[0])?, all()))).await?, [1, 2]);
    check_eq!(ids(sources.find(any(&linked(&source, &[1], &target, &[1])?, all()))).await?, [5, 6]);
    check_eq!(ids(sources.find(any(&linked(&source, &[0], &target, &[1])?, all()))).await?, [2]);
    Ok(())
}

async fn a_link_to_a_field_that_is_no_key_finds_several_rows(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let same_price = linked(library.author.source(), &[book::PRICE], library.author.source(), &[book::PRICE])?;
    // each is found by itself, nulls are not
    check_eq!(library.books(any(&same_price, all())).await?, [10, 12, 13, 14, 15, 16]);
    check_eq!(
        library.of_books(of(&same_price, all(), count())).await?,
        [int(1), int(0), int(1), int(2), int(2), int(2), int(2)]
    );
    check_eq!(library.books(any(&same_price, is(book::TITLE, Comparison::Lt, text("B")))).await?, [15, 16]);
    Ok(())
}

async fn a_link_of_a_kind_leads_to_rows_of_its_own_model_alone(db: Db) -> Verdict {
    let subject = |name: &str| {
        ModelBuilder::new(name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("title", ValueType::Text))
            .relation(RelationDef::new("comments", Cardinality::Many, ReferenceTarget::Name("Comment".into())))
            .key(["id"])
            .build()
    };
    let (post, photo) = (subject("Post")?, subject("Photo")?);
    let to = |name: &str| ReferenceDef::new([2], ReferenceTarget::Name(name.into())).for_kind(1, name);
    let comment = ModelBuilder::new("Comment")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("kind", ValueType::Text).nullable(true))
        .field(FieldDef::new("subject_id", ValueType::I64).nullable(true))
        .reference(to("Post"))
        .reference(to("Photo"))
        .key(["id"])
        .build()?;
    let models = [post.clone(), photo.clone(), comment.clone()];
    db.create_models(&models).await?;
    for model in [&post, &photo] {
        let row = |id: i64| vec![int(id), text(&format!("{} {id}", model.name()))];
        db.model(model).add_all(vec![row(1), row(2)]).await?;
    }
    let comments = db.model(&comment);
    let rows = [
        (1, Some("Post"), Some(1)),
        (2, Some("Photo"), Some(1)),
        (3, Some("Photo"), Some(2)),
        (4, Some("Post"), Some(9)),
        (5, None, Some(1)),
        (6, Some("Post"), None),
        (7, Some("post"), Some(1)),
        (8, Some("Photo"), Some(1)),
    ];
    let row = |(id, kind, subject): (i64, Option<&str>, Option<i64>)| {
        vec![int(id), kind.map_or(Datum::Null, text), int(subject)]
    };
    comments.add_all(rows.into_iter().map(row).collect()).await?;
    let of_post = present(post.relations().first())?.resolve(&post, &models)?.first;
    let of_photo = present(photo.relations().first())?.resolve(&photo, &models)?.first;
    let counts = |model: &Arc<ModelDef>, link: &Arc<Link>| {
        first_of(db.model(model).find(all()).order_by([up(0)]).select([of(link, all(), count())]))
    };
    check_eq!(counts(&post, &of_post).await?, [int(1), int(0)]);
    check_eq!(counts(&photo, &of_photo).await?, [int(2), int(1)]);
    let (to_post, to_photo) = (Arc::new(of_post.reversed()), Arc::new(of_photo.reversed()));
    check_eq!(ids(comments.find(any(&to_post, all()))).await?, [1]);
    check_eq!(ids(comments.find(any(&to_photo, equals(1, text("Photo 1"))))).await?, [2, 8]);
    let title = of(&to_post, all(), field(1));
    let titles = first_of(comments.find(all()).order_by([up(0)]).limit(5).select([title])).await?;
    check_eq!(titles, [text("Post 1"), Datum::Null, Datum::Null, Datum::Null, Datum::Null]);
    if db.driver().capabilities().relation.joins {
        let mut pairs = comments.find(all()).order_by([up(0)]);
        pairs.select.join(to_photo);
        check_eq!(in_order(pairs).await?, [2, 3, 8]);
        let mut pairs = db.model(&photo).find(all()).order_by([up(0)]);
        pairs.select.join(of_photo);
        check_eq!(in_order(pairs).await?, [1, 1, 2]);
    }
    Ok(())
}

async fn is_true_makes_unknown_false(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let is_true = |condition: Condition, negated| Condition::IsTrue { condition: Box::new(condition), negated };
    let long = || is(book::PAGES, Comparison::Gt, int(150));
    check_eq!(library.books(is_true(long(), false)).await?, [10, 11, 12]);
    check_eq!(library.books(is_true(long(), true)).await?, [13, 14, 15, 16]);
    check_eq!(library.books(not(is_true(long(), false))).await?, [13, 14, 15, 16]);
    check_eq!(library.books(is_true(long(), true).negate()).await?, [10, 11, 12]);
    check_eq!(library.books(is_true(not(long()), false)).await?, [14, 15, 16]);
    check_eq!(library.books(is_true(not(long()).or(equals(book::ID, int(13))), true)).await?, [10, 11, 12]);
    check_eq!(library.books(is_true(Condition::Const(false), true)).await?.len(), 7);
    Ok(())
}

async fn the_same_filter_twice_is_the_same(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by_ursula = any(&library.author, equals(author::NAME, text("Ursula")));
    let twice = Condition::And(vec![by_ursula.clone(), Condition::Or(vec![by_ursula.clone(), not(by_ursula)])]);
    check_eq!(library.books(twice).await?, [10, 11]);
    Ok(())
}

async fn operators_inside_work_as_outside(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let tests = [
        (TextOperator::Contains, "sul"),
        (TextOperator::StartsWith, "Ur"),
        (TextOperator::EndsWith, "sula"),
        (TextOperator::Like, "U%_la"),
        (TextOperator::Regex, "^U[a-z]+$"),
        (TextOperator::IEq, "URSULA"),
        (TextOperator::ILike, "%SULA"),
    ];
    for (operator, pattern) in tests {
        let expr = field(author::NAME);
        let condition = Condition::Text { operator, expr, pattern: Expr::Literal(text(pattern)), negated: false };
        check_eq!(library.books(any(&library.author, condition)).await?, [10, 11], "{operator:?}");
    }
    let price = Datum::Decimal(ommi::value::Decimal::new(12, 0));
    check_eq!(library.authors(any(&library.written, equals(book::PRICE, price))).await?, [3]);
    let more = arithmetic(field(book::PAGES), ArithmeticOperator::Multiply, Expr::Literal(int(2)));
    let more = Condition::compare(more, Comparison::Gt, Expr::Literal(int(400)));
    check_eq!(library.authors(any(&library.written, more)).await?, [2]);
    Ok(())
}

async fn constants_inside_are_told_apart(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by = |name: &str| any(&library.author, equals(author::NAME, text(name)));
    check_eq!(library.books(by("Ursula")).await?, [10, 11]);
    check_eq!(library.books(by("Octavia")).await?, [13, 14]);
    check_eq!(library.books(by("Ursula").or(by("Octavia"))).await?, [10, 11, 13, 14]);
    let between = |name: &str, pages: i64, id: i64| {
        is(book::PAGES, Comparison::Ge, int(pages)).and(by(name)).and(is(book::ID, Comparison::Lt, int(id)))
    };
    check_eq!(library.books(between("Ursula", 180, 11)).await?, [10]);
    check_eq!(library.books(between("Ursula", 180, 12)).await?, [10, 11]);
    check_eq!(library.books(between("Octavia", 100, 20)).await?, [14]);
    Ok(())
}

async fn long_lists_work_inside(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let names = ["Ursula", "Ted", "a", "b", "c", "d", "e", "f", "g", "h", "Octavia"];
    let among = Condition::is_in(field(author::NAME), names.map(|name| Expr::Literal(text(name))));
    check_eq!(library.books(any(&library.author, among)).await?, [10, 11, 13, 14]);
    let none = Condition::is_not_in(field(book::ID), (10..24).map(|id| Expr::Literal(int(id))));
    check_eq!(library.authors(any(&library.written, none)).await?, ints([]));
    Ok(())
}

async fn related_rows_are_counted(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let counts = library.of_authors(of(&library.written, all(), count())).await?;
    check_eq!(counts, [int(2), int(1), int(2), int(0), int(0)]);
    let long = is(book::PAGES, Comparison::Gt, int(190));
    let counts = library.of_authors(of(&library.written, long, count())).await?;
    check_eq!(counts, [int(1), int(1), int(0), int(0), int(0)]);
    let counts = library.of_authors(of(&library.written, Condition::Const(false), count())).await?;
    check_eq!(counts, [int(0), int(0), int(0), int(0), int(0)]);
    Ok(())
}

async fn aggregates_of_related_rows_leave_nulls_out(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let of_written = |function| library.of_authors(of(&library.written, all(), aggregate(function, book::PAGES)));
    check_eq!(part(&of_written(AggregateFunction::Count).await?, ..3), [int(2), int(1), int(1)]);
    check_eq!(part(&of_written(AggregateFunction::Sum).await?, ..3), [int(380), int(204), int(144)]);
    check_eq!(part(&of_written(AggregateFunction::Min).await?, ..3), [int(180), int(204), int(144)]);
    check_eq!(part(&of_written(AggregateFunction::Max).await?, ..3), [int(200), int(204), int(144)]);
    let price = aggregate(AggregateFunction::Avg, book::PRICE);
    let price = library.of_authors(of(&library.written, all(), price)).await?;
    let decimal = |digits, scale| Datum::Decimal(ommi::value::Decimal::new(digits, scale));
    check_eq!(part(&price, ..3), [decimal(95, 1), decimal(10, 0), decimal(12, 0)]);
    Ok(())
}

async fn aggregates_of_no_related_rows_are_null_and_counts_zero(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    for function in [AggregateFunction::Sum, AggregateFunction::Avg, AggregateFunction::Min, AggregateFunction::Max] {
        let values = library.of_authors(of(&library.written, all(), aggregate(function, book::PAGES))).await?;
        check_eq!(part(&values, 3..), [Datum::Null, Datum::Null], "{function:?}");
    }
    let counts = of(&library.written, all(), aggregate(AggregateFunction::Count, book::PAGES));
    check_eq!(part(&library.of_authors(counts).await?, 3..), [int(0), int(0)]);
    Ok(())
}

async fn distinct_values_of_related_rows_are_counted(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let prices =
        Expr::Aggregate { function: AggregateFunction::Count, of: Some(Box::new(field(book::PRICE))), distinct: true };
    let counts = library.of_authors(of(&library.written, all(), prices)).await?;
    check_eq!(counts, [int(1), int(1), int(1), int(0), int(0)]);
    Ok(())
}

async fn a_field_of_the_one_related_row_is_a_value(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let names = library.of_books(of(&library.author, all(), field(author::NAME))).await?;
    let ursula = text("Ursula");
    check_eq!(part(&names, ..2), [ursula.clone(), ursula.clone()]);
    check_eq!(part(&names, 5..), [Datum::Null, Datum::Null]);
    let others = is(author::NAME, Comparison::Ne, ursula);
    let names = library.of_books(of(&library.author, others, field(author::NAME))).await?;
    check_eq!(part(&names, ..3), [Datum::Null, Datum::Null, text("Stanisław")]);
    let by_ursula = of(&library.author, all(), field(author::NAME));
    let by_ursula = Condition::compare(by_ursula, Comparison::Eq, Expr::Literal(text("Ursula")));
    check_eq!(library.books(by_ursula.clone()).await?, [10, 11]);
    // a value is unknown where there is none
    check_eq!(library.books(not(by_ursula)).await?, [12, 13, 14]);
    Ok(())
}

async fn an_expression_of_the_one_related_row_is_a_value(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let twice = arithmetic(field(author::ID), ArithmeticOperator::Multiply, Expr::Literal(int(2)));
    let values = library.of_books(of(&library.author, all(), twice)).await?;
    check_eq!(values, [int(2), int(2), int(4), int(6), int(6), Datum::Null, Datum::Null]);
    Ok(())
}

async fn values_of_related_rows_nest(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mentor = of(&library.mentor, all(), field(author::NAME));
    let mentors = library.of_books(of(&library.author, all(), mentor)).await?;
    check_eq!(part(&mentors, 1..4), [Datum::Null, text("Ursula"), text("Ursula")]);
    let of_author = of(&library.written, all(), count());
    let counts = library.of_books(of(&library.author, all(), of_author)).await?;
    check_eq!(counts, [int(2), int(2), int(1), int(2), int(2), Datum::Null, Datum::Null]);
    // how many tags the books of an author have: a sum of counts
    let tags = of(&library.book_tags, all(), count());
    let sum = Expr::Aggregate { function: AggregateFunction::Sum, of: Some(Box::new(tags)), distinct: false };
    let sums = library.of_authors(of(&library.written, all(), sum)).await?;
    check_eq!(sums, [int(3), int(1), int(2), Datum::Null, Datum::Null]);
    Ok(())
}

async fn rows_are_filtered_by_the_number_of_related_ones(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let more_than = |number: i64| {
        let books = of(&library.written, all(), count());
        Condition::compare(books, Comparison::Gt, Expr::Literal(int(number)))
    };
    check_eq!(library.authors(more_than(1)).await?, [1, 3]);
    check_eq!(library.authors(not(more_than(0))).await?, [4, 5]);
    let pages = of(&library.written, all(), aggregate(AggregateFunction::Sum, book::PAGES));
    let pages = Condition::compare(pages, Comparison::Lt, Expr::Literal(int(300)));
    check_eq!(library.authors(pages.clone()).await?, [2, 3]);
    check_eq!(library.authors(not(pages)).await?, [1]);
    // as many as its id says
    let same = Condition::compare(of(&library.written, all(), count()), Comparison::Ge, field(author::ID));
    check_eq!(library.authors(same).await?, [1]);
    Ok(())
}

async fn rows_are_ordered_by_a_field_of_the_related_row(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let name = of(&library.author, all(), field(author::NAME));
    let order = |direction| [by(name.clone(), direction), up(book::ID)];
    check_eq!(
        in_order(library.books.find(all()).order_by(order(Direction::Ascending))).await?,
        [15, 16, 13, 14, 12, 10, 11]
    );
    check_eq!(
        in_order(library.books.find(all()).order_by(order(Direction::Descending))).await?,
        [10, 11, 12, 13, 14, 15, 16]
    );
    let last = OrderBy { expr: name, direction: Direction::Ascending, nulls: Some(Nulls::Last) };
    check_eq!(in_order(library.books.find(all()).order_by([last, up(book::ID)])).await?, [13, 14, 12, 10, 11, 15, 16]);
    Ok(())
}

async fn rows_are_ordered_by_the_number_of_related_ones_and_limited(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let most = by(of(&library.written, all(), count()), Direction::Descending);
    let query = library.authors.find(all()).order_by([most, up(author::ID)]);
    check_eq!(in_order(query.clone()).await?, [1, 3, 2, 4, 5]);
    check_eq!(in_order(query.limit(2).offset(1)).await?, [3, 2]);
    Ok(())
}

async fn values_of_related_rows_are_computed_with(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let pages = of(&library.written, all(), aggregate(AggregateFunction::Sum, book::PAGES));
    let books = of(&library.written, all(), count());
    let each = arithmetic(pages, ArithmeticOperator::Divide, books);
    check_eq!(library.of_authors(each).await?, [int(190), int(204), int(72), Datum::Null, Datum::Null]);
    Ok(())
}

async fn distinct_values_of_related_rows_are_selected(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let name = of(&library.author, all(), field(author::NAME));
    let query = library.books.find(all()).select([name.clone()]).distinct();
    let names = first_of(query.order_by([by(name, Direction::Ascending)])).await?;
    check_eq!(names, [Datum::Null, text("Octavia"), text("Stanisław"), text("Ursula")]);
    Ok(())
}

async fn groups_of_rows_that_were_filtered_across_are_aggregated(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let pupils = any(&library.author, any(&library.mentor, all()));
    let query = library.books.find(pupils).group_by([field(book::AUTHOR)]);
    let query = query.select([field(book::AUTHOR), count()]).order_by([up(book::AUTHOR)]);
    check_eq!(query.rows().await?, [[int(2), int(1)], [int(3), int(2)]]);
    Ok(())
}

async fn rows_are_grouped_by_a_value_of_the_related_row(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let name = of(&library.author, is(author::ID, Comparison::Lt, int(3)), field(author::NAME));
    let query = library.books.find(all()).group_by([name.clone()]).select([name.clone(), count()]);
    let rows = query.order_by([by(name, Direction::Ascending)]).rows().await?;
    check_eq!(rows, [[Datum::Null, int(4)], [text("Stanisław"), int(1)], [text("Ursula"), int(2)]]);
    Ok(())
}

async fn values_of_related_rows_are_aggregated(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let aggregate = |function| Expr::Aggregate {
        function,
        of: Some(Box::new(of(&library.written, is(book::ID, Comparison::Lt, int(14)), count()))),
        distinct: false,
    };
    let query =
        library.authors.find(all()).select([aggregate(AggregateFunction::Sum), aggregate(AggregateFunction::Max)]);
    check_eq!(query.rows().await?, [[int(4), int(2)]]);
    Ok(())
}

async fn rows_filtered_across_are_counted(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books.find(any(&library.author, all())).count().await?, 5);
    check_eq!(library.books.find(not(any(&library.author, all()))).limit(1).count().await?, 1);
    Ok(())
}

async fn rows_filtered_across_are_updated(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by_ursula = any(&library.author, equals(author::NAME, text("Ursula")));
    let more = arithmetic(field(book::ID), ArithmeticOperator::Multiply, Expr::Literal(int(100)));
    let long = is(book::PAGES, Comparison::Gt, int(190));
    let price = Expr::Literal(Datum::Decimal(ommi::value::Decimal::new(5, 0)));
    let changed = library.books.find(by_ursula.clone().and(long)).update(vec![(book::PRICE, price)]).await?;
    check_eq!(changed, 1);
    check_eq!(library.books(equals(book::PRICE, int(5))).await?, [10]);
    let changed = library.books.find(not(by_ursula)).update(vec![(book::AUTHOR, more)]).await?;
    check_eq!(changed, 5);
    check_eq!(library.books(is(book::AUTHOR, Comparison::Ge, int(1000))).await?, [12, 13, 14, 15, 16]);
    Ok(())
}

async fn rows_filtered_across_are_deleted(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.books.find(library.labelled("short")).delete().await?, 2);
    check_eq!(library.books(all()).await?, [11, 12, 13, 15, 16]);
    check_eq!(library.books.find(not(any(&library.author, all()))).delete().await?, 2);
    check_eq!(library.books(all()).await?, [11, 12, 13]);
    check_eq!(library.authors.find(not(any(&library.written, all()))).delete().await?, 2);
    check_eq!(library.authors(all()).await?, [1, 2, 3]);
    Ok(())
}

async fn rows_are_updated_by_a_filter_over_their_own_model(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // all are found before any is changed
    let pupil = any(&library.mentor, any(&library.pupils, all()));
    check_eq!(library.authors.find(pupil).update(vec![(author::MENTOR, Expr::Literal(Datum::Null))]).await?, 3);
    check_eq!(library.authors(equals(author::MENTOR, Datum::Null)).await?, [1, 2, 3, 4]);
    Ok(())
}

async fn rows_are_deleted_by_a_filter_over_their_own_model(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(library.authors.find(any(&library.mentor, all())).delete().await?, 3);
    check_eq!(library.authors(all()).await?, [1, 5]);
    Ok(())
}

async fn a_transaction_sees_its_own_related_rows(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let unwritten = || not(any(&library.written, all()));
    let (authors, books) = (library.authors.model().clone(), library.books.model().clone());
    let seen = db.transaction(async |tx| {
        let row = vec![int(20), text("New"), Datum::Null, Datum::Null, int(4)];
        tx.model(&books).add_all(vec![row]).await?;
        tx.model(&books).find(equals(book::ID, int(12))).delete().await?;
        let found = ids(tx.model(&authors).find(unwritten())).await?;
        let changed = tx.model(&authors).find(unwritten()).update(vec![(author::NAME, text("none").into())]).await?;
        let counts = of(&library.written, all(), count());
        let counts = tx.model(&authors).find(all()).order_by([up(author::ID)]).select([counts]);
        Ok((found, changed, first_of(counts).await?))
    });
    let (found, changed, counts) = seen.await?;
    check_eq!(found, [2, 5]);
    check_eq!(changed, 2);
    check_eq!(counts, [int(2), int(0), int(2), int(1), int(0)]);
    check_eq!(library.authors(equals(author::NAME, text("none"))).await?, [2, 5]);
    Ok(())
}

async fn a_select_of_no_rows_asks_for_no_related_ones(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let nobody = equals(author::ID, int(1000)).and(any(&library.written, all()));
    check_eq!(library.authors(nobody.clone()).await?, ints([]));
    let query = library.authors.find(nobody).select([of(&library.written, all(), count())]);
    check!(query.rows().await?.is_empty());
    Ok(())
}

/// Joins the rows that a link leads to; gives their fields.
fn joined(query: &mut DynamicQuery, link: &Arc<Link>) -> impl Fn(u16) -> Expr + use<> {
    let place = query.select.join(Arc::clone(link));
    let join = Join { link: Arc::clone(link) };
    move |field| join.field(place, field)
}

/// The values of a column.
fn column(rows: &[Vec<Datum>], at: usize) -> Vec<Datum> {
    rows.iter().filter_map(|row| row.get(at).cloned()).collect()
}

/// Some of the values.
fn part(values: &[Datum], range: impl SliceIndex<[Datum], Output = [Datum]>) -> &[Datum] {
    values.get(range).unwrap_or_default()
}

/// The tags of books, with the key of the book.
fn tagged(library: &Library, condition: impl FnOnce(Expr) -> Condition) -> DynamicQuery {
    let mut query = library.tags.find(all());
    let book = joined(&mut query, &library.tag_books)(book_tag::BOOK);
    query.select.condition = condition(book.clone());
    query.select.output = vec![field(tag::CODE), field(tag::LABEL), book.clone()];
    query.select.order_by = vec![by(book, Direction::Ascending), up(tag::CODE)];
    query
}

async fn joined_rows_come_in_pairs(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let rows = tagged(&library, |_| all()).rows().await?;
    let row = |code: &str, label: &str, book: i64| [text(code), text(label), int(book)];
    check_eq!(
        rows,
        [
            row("a", "classic", 10),
            row("b", "short", 10),
            row("a", "classic", 11),
            row("A", "Classic", 12),
            row("b", "short", 14),
            row("a", "classic", 99),
        ]
    );
    // without a selection it is the fields of the model
    let mut query = library.tags.find(all()).order_by([up(tag::CODE)]);
    query.select.join(Arc::clone(&library.tag_books));
    let rows = query.rows().await?;
    check_eq!(rows.len(), 6);
    check_eq!(present(rows.first())?.as_slice(), [text("A"), text("Classic")]);
    Ok(())
}

async fn joined_rows_are_filtered_and_ordered_by_both_sides(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = library.tags.find(all());
    let join = joined(&mut query, &library.tag_books);
    let (book, weight) = (join(book_tag::BOOK), join(book_tag::WEIGHT));
    query.select.output = vec![field(tag::CODE), book.clone(), weight.clone()];
    let known = Condition::IsNull { expr: weight.clone(), negated: true };
    let more = Condition::compare(weight.clone(), Comparison::Ge, Expr::Literal(int(2)));
    query.select.condition = equals(tag::LABEL, text("short")).or(known).and(not(equals(tag::CODE, text("A"))));
    query.select.order_by = vec![by(weight, Direction::Descending), up(tag::CODE), by(book, Direction::Ascending)];
    let rows = query.clone().rows().await?;
    let row = |code: &str, book: i64, weight: Option<i64>| [text(code), int(book), int(weight)];
    check_eq!(
        rows,
        [
            row("b", 14, Some(5)),
            row("a", 11, Some(3)),
            row("a", 10, Some(1)),
            row("a", 99, Some(1)),
            row("b", 10, None),
        ]
    );
    query.select.condition = more;
    query.select.limit = Some(Expr::Literal(int(2)));
    check_eq!(query.rows().await?, [row("b", 14, Some(5)), row("a", 11, Some(3))]);
    Ok(())
}

async fn a_join_of_a_list_of_keys_finds_the_rows_of_a_link_model(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    for keys in [vec![10, 14], (12..40).collect(), vec![]] {
        let literals = keys.iter().map(|key| Expr::Literal(int(*key)));
        let rows = tagged(&library, |book| Condition::is_in(book, literals)).rows().await?;
        let expected: Vec<i64> = [10, 10, 11, 12, 14, 99].into_iter().filter(|book| keys.contains(book)).collect();
        let books: Vec<Datum> = column(&rows, 2);
        check_eq!(books, expected.into_iter().map(int).collect::<Vec<_>>());
    }
    Ok(())
}

async fn a_join_leaves_rows_without_a_partner_out(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = library.books.find(all()).order_by([up(book::ID)]);
    query.select.join(Arc::clone(&library.author));
    check_eq!(in_order(query.clone()).await?, [10, 11, 12, 13, 14]);
    check_eq!(query.clone().count().await?, 5);
    query.select.condition = Condition::Const(false);
    check_eq!(in_order(query).await?, ints([]));
    Ok(())
}

async fn a_model_is_joined_with_itself(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = library.authors.find(all());
    let mentor = joined(&mut query, &library.mentor)(author::NAME);
    query.select.output = vec![field(author::NAME), mentor];
    query.select.order_by = vec![up(author::ID)];
    let rows = query.rows().await?;
    check_eq!(
        rows,
        [[text("Stanisław"), text("Ursula")], [text("Octavia"), text("Ursula")], [text("Ted"), text("Octavia")],]
    );
    Ok(())
}

async fn two_joins_multiply(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = library.authors.find(all());
    let title = joined(&mut query, &library.written)(book::TITLE);
    let pupil = joined(&mut query, &library.pupils)(author::NAME);
    query.select.order_by = vec![by(title.clone(), Direction::Ascending), by(pupil.clone(), Direction::Ascending)];
    query.select.output = vec![title, pupil];
    let rows = query.rows().await?;
    check_eq!(
        rows,
        [
            [text("Bloodchild"), text("Ted")],
            [text("Earthsea"), text("Octavia")],
            [text("Earthsea"), text("Stanisław")],
            [text("Kindred"), text("Ted")],
            [text("Lathe"), text("Octavia")],
            [text("Lathe"), text("Stanisław")],
        ]
    );
    Ok(())
}

async fn joined_rows_are_grouped_and_counted(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = tagged(&library, |_| all());
    let book = present(query.select.output.last())?.clone();
    query.select.order_by.clear();
    query.select.group_by = vec![book.clone()];
    query.select.output = vec![book.clone(), count()];
    let rows = query.order_by([by(book, Direction::Ascending)]).rows().await?;
    check_eq!(rows, [[int(10), int(2)], [int(11), int(1)], [int(12), int(1)], [int(14), int(1)], [int(99), int(1)]]);
    Ok(())
}

async fn joined_rows_are_filtered_across(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let used = any(&library.tag_books, any(&library.to_book, equals(book::TITLE, text("Lathe"))));
    let rows = tagged(&library, |_| used).rows().await?;
    let books: Vec<Datum> = column(&rows, 2);
    check_eq!(books, [int(10), int(11), int(99)]);
    Ok(())
}

async fn joined_rows_keep_their_types(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = library.authors.find(equals(author::ID, int(1)));
    let join = joined(&mut query, &library.written);
    query.select.output = vec![join(book::PRICE), join(book::TITLE), field(author::NAME), join(book::PAGES)];
    query.select.order_by = vec![by(join(book::PRICE), Direction::Descending)];
    let rows = query.rows().await?;
    let price = Datum::Decimal(ommi::value::Decimal::new(95, 1));
    check_eq!(
        rows,
        [[price, text("Earthsea"), text("Ursula"), int(200)], [Datum::Null, text("Lathe"), text("Ursula"), int(180)],]
    );
    Ok(())
}

/// The books, at most some of each author.
fn limited(library: &Library, limit: i64, offset: Option<i64>) -> DynamicQuery {
    let mut query = library.books.find(all());
    query.select.set_limit_by(LimitBy {
        by: vec![field(book::AUTHOR)],
        limit: Expr::Literal(int(limit)),
        offset: offset.map(|offset| Expr::Literal(int(offset))),
    });
    query
}

async fn the_first_rows_of_each_group_are_kept(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let longest = by(field(book::PAGES), Direction::Descending);
    let query = limited(&library, 1, None).order_by([longest.clone(), up(book::ID)]);
    check_eq!(in_order(query).await?, [12, 10, 14, 16, 15]);
    let query = limited(&library, 2, None).order_by([up(book::TITLE)]);
    check_eq!(in_order(query).await?, [15, 14, 10, 13, 11, 16, 12]);
    check_eq!(in_order(limited(&library, 0, None).order_by([longest])).await?, ints([]));
    // without an order some row of each is kept
    check_eq!(limited(&library, 1, None).rows().await?.len(), 5);
    Ok(())
}

async fn rows_of_each_group_are_left_out_before_the_first(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check_eq!(in_order(limited(&library, 5, Some(1)).order_by([up(book::ID)])).await?, [11, 14]);
    check_eq!(in_order(limited(&library, 1, Some(1)).order_by([up(book::TITLE)])).await?, [13, 11]);
    check_eq!(in_order(limited(&library, 5, Some(2)).order_by([up(book::ID)])).await?, ints([]));
    Ok(())
}

async fn rows_are_limited_in_all_after_each_group_is(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let query = limited(&library, 1, None).order_by([up(book::ID)]);
    check_eq!(in_order(query.clone()).await?, [10, 12, 13, 15, 16]);
    check_eq!(in_order(query.limit(2).offset(1)).await?, [12, 13]);
    Ok(())
}

async fn nulls_are_a_group_of_their_own_when_groups_are_limited(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let nobody = vec![int(17), text("Also anonymous"), Datum::Null, Datum::Null, Datum::Null];
    library.books.add_all(vec![nobody]).await?;
    let query = limited(&library, 1, None).order_by([by(field(book::ID), Direction::Descending)]);
    check_eq!(in_order(query).await?, [17, 16, 14, 12, 11]);
    Ok(())
}

async fn a_limit_of_groups_follows_orders_across(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let tags = by(of(&library.book_tags, all(), count()), Direction::Ascending);
    let query = limited(&library, 1, None).order_by([tags, up(book::ID)]);
    check_eq!(in_order(query).await?, [13, 15, 16, 11, 12]);
    Ok(())
}

async fn a_limit_of_groups_works_on_filtered_and_projected_rows(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = limited(&library, 1, None).order_by([by(field(book::PRICE), Direction::Descending), up(book::ID)]);
    query.select.condition = any(&library.author, all()).and(is(book::ID, Comparison::Ne, int(10)));
    query.select.output = vec![field(book::TITLE), of(&library.author, all(), field(author::NAME))];
    let rows = query.rows().await?;
    check_eq!(
        rows,
        [[text("Kindred"), text("Octavia")], [text("Solaris"), text("Stanisław")], [text("Lathe"), text("Ursula")],]
    );
    Ok(())
}

async fn joined_rows_are_limited_by_group(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let mut query = tagged(&library, |book| Condition::compare(book, Comparison::Lt, Expr::Literal(int(50))));
    let book = present(query.select.output.last())?.clone();
    query.select.set_limit_by(LimitBy { by: vec![book.clone()], limit: Expr::Literal(int(1)), offset: None });
    query.select.order_by = vec![by(book.clone(), Direction::Descending), by(field(tag::LABEL), Direction::Descending)];
    let rows = query.clone().select([]).rows().await?;
    let codes: Vec<Datum> = column(&rows, 0);
    check_eq!(codes, [text("b"), text("A"), text("a"), text("b")]);
    query.select.set_limit_by(LimitBy { by: vec![field(tag::CODE)], limit: Expr::Literal(int(1)), offset: None });
    let books = column(&query.rows().await?, 2);
    check_eq!(books, [int(14), int(12), int(11)]);
    Ok(())
}

async fn a_single_value_of_several_related_rows_is_refused(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let error = refused(library.of_authors(of(&library.written, all(), field(book::TITLE))).await)?;
    check!(error.is_query(), "{error}");
    check!(error.message().contains("aggregate"), "{error}");
    Ok(())
}

async fn a_link_from_another_model_is_refused(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let error = refused(library.books(any(&library.written, all())).await)?;
    check!(error.is_query(), "{error}");
    let error = refused(library.books(any(&library.author, any(&library.author, all()))).await)?;
    check!(error.is_query(), "{error}");
    let mut query = library.books.find(all());
    query.select.join(Arc::clone(&library.written));
    check!(refused(query.rows().await)?.is_query() || !db.driver().capabilities().relation.joins);
    Ok(())
}

async fn an_aggregate_among_the_conditions_on_related_rows_is_refused(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let several = Condition::compare(count(), Comparison::Gt, Expr::Literal(int(1)));
    check!(refused(library.authors(any(&library.written, several)).await)?.is_query());
    let more = arithmetic(count(), ArithmeticOperator::Add, Expr::Literal(int(1)));
    check!(refused(library.of_authors(of(&library.written, all(), more)).await)?.is_query());
    Ok(())
}

async fn types_inside_are_those_of_the_target(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    // the second field of a book is a text, the third a number
    check!(refused(library.authors(any(&library.written, equals(book::TITLE, int(1)))).await)?.is_query());
    check!(refused(library.authors(any(&library.written, equals(book::PAGES, text("1")))).await)?.is_query());
    check!(refused(library.authors(any(&library.written, equals(9, int(1)))).await)?.is_query());
    let number = of(&library.written, all(), count());
    let number = Condition::compare(number, Comparison::Eq, Expr::Literal(text("1")));
    check!(refused(library.authors(number).await)?.is_query());
    Ok(())
}

async fn an_assignment_of_a_related_value_is_refused(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let name = of(&library.author, all(), field(author::NAME));
    let error = refused(library.books.find(all()).update(vec![(book::TITLE, name)]).await)?;
    check!(error.is_query(), "{error}");
    Ok(())
}

async fn a_filter_of_groups_by_related_rows_is_refused(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let query = library.books.find(all()).group_by([field(book::AUTHOR)]).select([field(book::AUTHOR), count()]);
    check!(refused(query.having(any(&library.author, all())).rows().await)?.is_query());
    let name = of(&library.author, all(), field(author::NAME));
    let query = library.books.find(all()).group_by([field(book::AUTHOR)]).select([field(book::AUTHOR), name]);
    check!(refused(query.rows().await)?.is_query());
    Ok(())
}

async fn a_limit_of_groups_is_refused_for_aggregates_and_distinct_rows(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    check!(refused(limited(&library, 1, None).select([count()]).rows().await)?.is_query());
    check!(refused(limited(&library, 1, None).distinct().rows().await)?.is_query());
    check!(refused(limited(&library, 1, None).delete().await)?.is_query());
    Ok(())
}

async fn names_that_need_quotes_work_across(db: Db) -> Verdict {
    let build = |name: &str, key: &str, other: &str| {
        ModelBuilder::new(name)
            .field(FieldDef::new(key, ValueType::I64))
            .field(FieldDef::new(other, ValueType::I64).nullable(true))
            .key([key])
            .build()
    };
    // names that a renderer could give to tables itself, and keywords
    let (first, second) = (build("t1", "t0", "select")?, build("Order", "true", "quo\"te")?);
    db.create_models(&[first.clone(), second.clone()]).await?;
    db.model(&first).add_all(vec![vec![int(1), int(2)], vec![int(2), Datum::Null]]).await?;
    db.model(&second).add_all(vec![vec![int(2), int(1)], vec![int(3), int(1)], vec![int(4), int(2)]]).await?;
    let to_second = linked(&first, &[1], &second, &[0])?;
    let to_first = linked(&second, &[1], &first, &[0])?;
    check_eq!(ids(db.model(&first).find(any(&to_second, any(&to_first, equals(0, int(1)))))).await?, [1]);
    let unknown = Condition::IsTrue { condition: Box::new(is(1, Comparison::Gt, int(1))), negated: true };
    check_eq!(ids(db.model(&second).find(any(&to_first, unknown.clone()))).await?, [4]);
    check_eq!(ids(db.model(&second).find(unknown.and(any(&to_first, all())))).await?, [2, 3]);
    let counts = of(&Arc::new(to_first.reversed()), all(), count());
    check_eq!(first_of(db.model(&first).find(all()).order_by([up(0)]).select([counts])).await?, [int(2), int(1)]);
    check_eq!(db.model(&second).find(any(&to_first, equals(1, int(2)))).delete().await?, 2);
    check_eq!(ids(db.model(&second).find(all())).await?, [4]);
    Ok(())
}

async fn what_is_completed_across_is_explained_and_refused_when_strict(db: Db) -> Verdict {
    let library = Library::open(&db).await?;
    let by_ursula = any(&library.author, equals(author::NAME, text("Ursula")));
    let explained = library.books.find(by_ursula.clone()).explain().await?;
    let is_native = db.driver().capabilities().relation.filters;
    check_eq!(explained.is_native(), is_native, "{explained}");
    match is_native {
        true => check_eq!(ids(library.books.find(by_ursula).strict()).await?, [10, 11]),
        false => {
            check!(explained.completed.iter().any(|part| part.contains("Author")), "{explained}");
            check!(refused(library.books.find(by_ursula).strict().rows().await)?.is_unsupported());
        }
    }
    Ok(())
}
