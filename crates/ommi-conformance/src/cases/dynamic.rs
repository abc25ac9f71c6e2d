//! Models that are defined at run time.

use std::sync::Arc;

use ommi::model::{FieldDef, ModelBuilder, ModelDef};
use ommi::prelude::*;
use ommi::query::statement::OnConflict;
use ommi::query::{AggregateFunction, ArithmeticOperator, Comparison, Condition, Direction, Expr, OrderBy};
use ommi::value::{Datum, EnumType, ValueType};
use ommi::{ConstraintKind, Dynamic};

use crate::check::{Verdict, present, refused};
use crate::models::{Item, fill, item};

cases! { "dynamic":
    rows_of_a_run_time_model_come_back,
    a_run_time_model_is_filtered_ordered_and_limited,
    a_run_time_model_is_grouped,
    a_run_time_model_is_updated_and_deleted,
    a_run_time_model_is_upserted,
    automatic_fields_of_a_run_time_model_are_filled needs AUTO_INTEGERS,
    a_run_time_model_and_a_struct_share_a_table,
    a_row_of_the_wrong_width_is_refused,
    a_value_of_the_wrong_type_is_refused,
    an_integer_outside_its_type_is_refused,
    null_in_a_required_field_is_a_constraint_error,
    a_text_that_is_no_variant_is_refused,
    a_wrong_assignment_is_refused,
    a_count_of_a_run_time_model,
    two_definitions_of_one_table_do_not_mix_their_plans,
    constants_may_stand_on_either_side,
    a_run_time_model_is_explained,
    distinct_rows_of_a_run_time_model,
}

fn field(index: u16) -> Expr {
    Expr::Field(index)
}

fn text(value: &str) -> Datum {
    Datum::Text(value.into())
}

fn is(index: u16, operator: Comparison, value: Datum) -> Condition {
    Condition::compare(field(index), operator, Expr::Literal(value))
}

fn model() -> Result<Arc<ModelDef>> {
    ModelBuilder::new("things")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("small", ValueType::I8).nullable(true))
        .field(
            FieldDef::new("mood", ValueType::Enum(Arc::new(EnumType::new("Mood", &["calm", "merry"])))).nullable(true),
        )
        .key(["id"])
        .build()
}

fn thing(id: i64, name: &str, small: Option<i64>, mood: Option<&str>) -> Vec<Datum> {
    let small = small.map_or(Datum::Null, Datum::Int);
    vec![Datum::Int(id), text(name), small, mood.map_or(Datum::Null, text)]
}

async fn things(db: &Db) -> Result<Dynamic> {
    let model = model()?;
    db.create_models(std::slice::from_ref(&model)).await?;
    let things = db.model(&model);
    things
        .add_all(vec![
            thing(1, "a", Some(1), Some("calm")),
            thing(2, "b", None, None),
            thing(3, "a", Some(-128), Some("merry")),
        ])
        .await?;
    Ok(things)
}

fn all() -> Condition {
    Condition::Const(true)
}

fn by(index: u16, direction: Direction) -> OrderBy {
    OrderBy { expr: field(index), direction, nulls: None }
}

async fn rows_of_a_run_time_model_come_back(db: Db) -> Verdict {
    let things = things(&db).await?;
    let rows = things.find(all()).order_by([by(0, Direction::Ascending)]).rows().await?;
    check_eq!(
        rows,
        [thing(1, "a", Some(1), Some("calm")), thing(2, "b", None, None), thing(3, "a", Some(-128), Some("merry"))]
    );
    Ok(())
}

async fn a_run_time_model_is_filtered_ordered_and_limited(db: Db) -> Verdict {
    let things = things(&db).await?;
    let rows =
        things.find(is(1, Comparison::Eq, text("a"))).order_by([by(2, Direction::Descending)]).limit(1).rows().await?;
    check_eq!(rows, [thing(1, "a", Some(1), Some("calm"))]);
    let rows = things.find(all()).order_by([by(2, Direction::Ascending)]).offset(1).select([field(0)]).rows().await?;
    check_eq!(rows, [[Datum::Int(3)], [Datum::Int(1)]]);
    Ok(())
}

async fn a_run_time_model_is_grouped(db: Db) -> Verdict {
    let things = things(&db).await?;
    let sum = Expr::Aggregate { function: AggregateFunction::Sum, of: Some(Box::new(field(2))), distinct: false };
    let rows = things
        .find(all())
        .group_by([field(1)])
        .select([field(1), sum])
        .order_by([by(1, Direction::Ascending)])
        .rows()
        .await?;
    check_eq!(rows, [[text("a"), Datum::Int(-127)], [text("b"), Datum::Null]]);
    Ok(())
}

async fn a_run_time_model_is_updated_and_deleted(db: Db) -> Verdict {
    let things = things(&db).await?;
    let next = Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(field(2)),
        right: Box::new(Expr::Literal(Datum::Int(1))),
        value_type: ValueType::I8,
    };
    check_eq!(
        things.find(is(1, Comparison::Eq, text("a"))).update(vec![(2, next), (3, text("calm").into())]).await?,
        2
    );
    let rows = things.find(is(0, Comparison::Eq, Datum::Int(3))).rows().await?;
    check_eq!(rows, [thing(3, "a", Some(-127), Some("calm"))]);
    check_eq!(things.find(is(2, Comparison::Eq, Datum::Null)).delete().await?, 1);
    check_eq!(things.find(all()).count().await?, 2);
    Ok(())
}

async fn a_run_time_model_is_upserted(db: Db) -> Verdict {
    let things = things(&db).await?;
    let update = OnConflict::Update(vec![0], vec![(1, Expr::Inserted(1))]);
    let (_, written) =
        things.upsert_all(vec![thing(1, "new", None, None), thing(9, "nine", None, None)], update).await?;
    check_eq!(written, 2);
    let (_, written) = things
        .upsert_all(vec![thing(2, "x", None, None), thing(10, "ten", None, None)], OnConflict::Ignore(vec![0]))
        .await?;
    check_eq!(written, 1);
    let rows = things.find(all()).order_by([by(0, Direction::Ascending)]).rows().await?;
    let expected = [
        thing(1, "new", Some(1), Some("calm")),
        thing(2, "b", None, None),
        thing(3, "a", Some(-128), Some("merry")),
        thing(9, "nine", None, None),
        thing(10, "ten", None, None),
    ];
    check_eq!(rows, expected);
    Ok(())
}

async fn automatic_fields_of_a_run_time_model_are_filled(db: Db) -> Verdict {
    let model = ModelBuilder::new("auto")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("token", ValueType::Uuid).auto())
        .field(FieldDef::new("created", ValueType::Timestamp).created())
        .field(FieldDef::new("version", ValueType::I32).version())
        .key(["id"])
        .build()?;
    db.create_models(std::slice::from_ref(&model)).await?;
    let autos = db.model(&model);
    let added = autos
        .add_all(vec![
            vec![Datum::Null; 4],
            vec![Datum::Int(50), Datum::Null, Datum::Null, Datum::Null],
            vec![Datum::Null; 4],
        ])
        .await?;
    check!(added.iter().all(|row| matches!(row.first(), Some(Datum::Int(1..)))), "{added:?}");
    check_eq!(added.get(1).and_then(|row| row.first()), Some(&Datum::Int(50)));
    let mut stored = autos.find(all()).rows().await?;
    let mut expected = added;
    let id = |row: &Vec<Datum>| format!("{:?}", row.first());
    stored.sort_by_key(id);
    expected.sort_by_key(id);
    check_eq!(stored, expected);
    check!(
        stored
            .iter()
            .all(|row| matches!(row.as_slice(), [Datum::Int(_), Datum::Uuid(_), Datum::Timestamp(_), Datum::Int(1)]))
    );
    autos.find(all()).update(vec![(1, Datum::Uuid(Uuid::nil()).into())]).await?;
    let versions = autos.find(all()).select([field(3)]).distinct().rows().await?;
    check_eq!(versions, [[Datum::Int(2)]]);
    Ok(())
}

async fn a_run_time_model_and_a_struct_share_a_table(db: Db) -> Verdict {
    fill(&db, vec![item(1, "a")]).await?;
    let items = db.model(Item::definition());
    items.add_all(vec![vec![Datum::Int(2), text("b"), Datum::Null, Datum::Int(7), Datum::Decimal(dec!(1.5))]]).await?;
    check_eq!(db.get::<Item>(2).await?, Item { quantity: Some(7), price: Some(dec!(1.5)), ..item(2, "b") });
    let rows = items.find(is(0, Comparison::Eq, Datum::Int(1))).rows().await?;
    check_eq!(rows, [[Datum::Int(1), text("a"), Datum::Null, Datum::Null, Datum::Null]]);
    Ok(())
}

async fn a_row_of_the_wrong_width_is_refused(db: Db) -> Verdict {
    let things = things(&db).await?;
    check!(refused(things.add_all(vec![vec![Datum::Int(9)]]).await)?.is_query());
    check!(refused(things.add_all(vec![vec![Datum::Null; 5]]).await)?.is_query());
    check_eq!(things.find(all()).count().await?, 3);
    Ok(())
}

async fn a_value_of_the_wrong_type_is_refused(db: Db) -> Verdict {
    let things = things(&db).await?;
    for row in [
        vec![text("9"), text("x"), Datum::Null, Datum::Null],
        vec![Datum::Int(9), Datum::Int(5), Datum::Null, Datum::Null],
        vec![Datum::Int(9), text("x"), text("1"), Datum::Null],
        vec![Datum::Int(9), text("x"), Datum::Float(1.0), Datum::Null],
        vec![Datum::Int(9), text("x"), Datum::Null, Datum::Bool(true)],
    ] {
        let shown = format!("{row:?}");
        let error = refused(things.add_all(vec![row]).await)?;
        check!(error.is_query(), "the error of {shown} is {error}");
    }
    check_eq!(things.find(all()).count().await?, 3);
    Ok(())
}

async fn an_integer_outside_its_type_is_refused(db: Db) -> Verdict {
    let things = things(&db).await?;
    for number in [128, -129, i64::MAX] {
        let error = refused(things.add_all(vec![thing(9, "x", Some(number), None)]).await)?;
        check!(error.is_query(), "{error}");
        let error = refused(things.find(all()).update(vec![(2, Datum::Int(number).into())]).await)?;
        check!(error.is_query(), "{error}");
    }
    check_eq!(things.find(all()).count().await?, 3);
    Ok(())
}

async fn null_in_a_required_field_is_a_constraint_error(db: Db) -> Verdict {
    let things = things(&db).await?;
    let error = refused(things.add_all(vec![vec![Datum::Int(9), Datum::Null, Datum::Null, Datum::Null]]).await)?;
    check_eq!(error.constraint_kind(), Some(ConstraintKind::NotNull));
    check_eq!((error.model(), error.fields()), (Some("things"), &["name".to_owned()][..]));
    let error = refused(things.find(all()).update(vec![(1, Datum::Null.into())]).await)?;
    check_eq!(error.constraint_kind(), Some(ConstraintKind::NotNull));
    let error = refused(things.add_all(vec![vec![Datum::Null, text("x"), Datum::Null, Datum::Null]]).await)?;
    check_eq!(error.constraint_kind(), Some(ConstraintKind::NotNull));
    Ok(())
}

async fn a_text_that_is_no_variant_is_refused(db: Db) -> Verdict {
    let things = things(&db).await?;
    let error = refused(things.add_all(vec![thing(9, "x", None, Some("CALM"))]).await)?;
    check!(error.is_query(), "{error}");
    let error = refused(things.find(all()).update(vec![(3, text("angry").into())]).await)?;
    check!(error.is_query(), "{error}");
    Ok(())
}

async fn a_wrong_assignment_is_refused(db: Db) -> Verdict {
    let things = things(&db).await?;
    check!(refused(things.find(all()).update(vec![(9, Datum::Int(1).into())]).await)?.is_query());
    check!(refused(things.find(all()).update(vec![(1, field(9))]).await)?.is_query());
    check!(refused(things.find(all()).update(vec![(1, field(0))]).await)?.is_query());
    check!(refused(things.find(all()).update(vec![(2, text("1").into())]).await)?.is_query());
    check!(refused(things.find(all()).update(vec![]).await)?.is_query());
    Ok(())
}

async fn a_count_of_a_run_time_model(db: Db) -> Verdict {
    let things = things(&db).await?;
    check_eq!(things.find(all()).count().await?, 3);
    check_eq!(things.find(is(3, Comparison::Eq, text("merry"))).count().await?, 1);
    check_eq!(things.find(Condition::Const(false)).count().await?, 0);
    Ok(())
}

async fn two_definitions_of_one_table_do_not_mix_their_plans(db: Db) -> Verdict {
    let things = things(&db).await?;
    let other = ModelBuilder::new("things")
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("id", ValueType::I64))
        .key(["id"])
        .build()?;
    let turned = db.model(&other);
    for _ in 0..2 {
        let row = present(things.find(is(0, Comparison::Eq, Datum::Int(2))).rows().await?.pop())?;
        check_eq!(row, thing(2, "b", None, None));
        let row = present(turned.find(is(1, Comparison::Eq, Datum::Int(2))).rows().await?.pop())?;
        check_eq!(row, [text("b"), Datum::Int(2)]);
    }
    Ok(())
}

async fn constants_may_stand_on_either_side(db: Db) -> Verdict {
    let things = things(&db).await?;
    let condition =
        Condition::Compare { operator: Comparison::Lt, left: Expr::Literal(Datum::Int(1)), right: field(0) };
    check_eq!(things.find(condition).count().await?, 2);
    let condition = Condition::Compare { operator: Comparison::Eq, left: Expr::Literal(text("a")), right: field(1) };
    check_eq!(things.find(condition).count().await?, 2);
    Ok(())
}

async fn a_run_time_model_is_explained(db: Db) -> Verdict {
    let things = things(&db).await?;
    let explanation = things.find(is(1, Comparison::Eq, text("a"))).explain().await?;
    check_eq!(explanation.model, "things");
    Ok(())
}

async fn distinct_rows_of_a_run_time_model(db: Db) -> Verdict {
    let things = things(&db).await?;
    let rows = things.find(all()).select([field(1)]).distinct().order_by([by(1, Direction::Descending)]).rows().await?;
    check_eq!(rows, [[text("b")], [text("a")]]);
    check_eq!(things.find(all()).distinct().rows().await?.len(), 3);
    Ok(())
}
