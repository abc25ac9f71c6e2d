//! Errors: one kind for each fault, on every driver.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, item, named};

cases! { "errors":
    errors_name_driver_model_and_operation needs UNIQUE,
    an_error_is_one_line,
    an_error_is_cloned_and_shared,
    only_conflicts_are_retryable needs UNIQUE,
    a_closed_database_is_a_connection_error,
    closing_twice_does_no_harm,
    a_strict_query_is_native_or_unsupported,
    a_strict_handle_refuses_what_it_would_complete,
    explain_says_who_does_what,
    explain_does_not_run_the_statement,
    explain_shows_no_values,
    a_query_of_another_models_field_types_is_refused,
    an_error_of_a_read_leaves_the_handle_usable,
    raw_statements_bind_their_parameters needs SQL,
    raw_rows_are_read_into_models_by_name needs SQL,
    a_raw_column_of_the_wrong_type_is_a_decode_error needs SQL,
    a_raw_statement_that_is_wrong_is_a_query_error needs SQL,
    raw_is_refused_where_there_is_no_language,
}

async fn errors_name_driver_model_and_operation(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.add(item(1, "again")).await)?;
    check_eq!(error.driver(), Some(db.driver().name()));
    check_eq!((error.model(), error.operation()), (Some("Item"), Some("add")));
    let error = refused(db.get::<Item>(9).await)?;
    check_eq!(error.model(), Some("Item"));
    Ok(())
}

async fn an_error_is_one_line(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let errors = [
        refused(db.add(item(1, "line\nbreak")).await)?,
        refused(db.find(Item::NAME.regex("(")).all().await)?,
        refused(db.find(Item::NAME.like("\\\n")).all().await)?,
        refused(db.get::<Item>(9).await)?,
    ];
    for error in errors {
        let text = error.to_string();
        check!(!text.contains('\n') && !text.is_empty(), "{text:?} is not one line");
    }
    Ok(())
}

async fn an_error_is_cloned_and_shared(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let error = refused(db.get::<Item>(9).await)?;
    let other = error.clone();
    let text =
        tokio::spawn(async move { other.to_string() }).await.map_err(|fault| Error::config(fault.to_string()))?;
    check_eq!(text, error.to_string());
    Ok(())
}

async fn only_conflicts_are_retryable(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let errors = [
        refused(db.add(item(1, "again")).await)?,
        refused(db.get::<Item>(9).await)?,
        refused(db.add(item(2, "\0")).await)?,
        refused(db.find(Item::all()).limit(1).delete().await)?,
    ];
    check!(errors.iter().all(|error| !error.is_retryable()));
    Ok(())
}

async fn a_closed_database_is_a_connection_error(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let other = db.clone();
    db.close().await?;
    for error in [
        refused(other.get::<Item>(1).await)?,
        refused(other.find(Item::all()).all().await)?,
        refused(other.add(item(2, "b")).await)?,
        refused(other.find(Item::all()).delete().await)?,
        refused(other.create::<Item>().await)?,
    ] {
        check!(error.is_connection(), "{error}");
    }
    Ok(())
}

async fn closing_twice_does_no_harm(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.close().await?;
    db.close().await?;
    Ok(())
}

async fn a_strict_query_is_native_or_unsupported(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "ab"])).await?;
    let queries = [
        db.find(Item::NAME.regex("a")),
        db.find(Item::NAME.icontains("A")),
        db.find((Item::QUANTITY * 2).lt(5)),
        db.find(Item::all()).order_by(Item::NAME.desc().nulls_first()),
    ];
    for query in queries {
        let is_native = query.clone().explain().await?.is_native();
        let answer = query.strict().all().await;
        match answer {
            Ok(_) => check!(is_native, "a completed query passed as strict"),
            Err(error) => {
                check!(!is_native && error.is_unsupported(), "{error}");
                check_eq!(error.driver(), Some(db.driver().name()));
            }
        }
    }
    Ok(())
}

async fn a_strict_handle_refuses_what_it_would_complete(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let strict = db.strict();
    check_eq!(strict.get::<Item>(1).await?.name, "a");
    check_eq!(strict.find(Item::all()).all().await?.len(), 2);
    let native = db.find(Item::NAME.contains("a")).explain().await?.is_native();
    check_eq!(strict.find(Item::NAME.contains("a")).all().await.is_ok(), native);
    check!(db.find(Item::NAME.contains("a")).all().await.is_ok());
    Ok(())
}

async fn explain_says_who_does_what(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let explanation =
        db.find(Item::NAME.eq("a") & Item::QUANTITY.gt(1)).order_by(Item::NAME.asc()).limit(5).explain().await?;
    check_eq!(explanation.driver, db.driver().name());
    check_eq!(explanation.model, "Item");
    check!(!explanation.native.is_empty());
    check_eq!(explanation.is_native(), explanation.completed.is_empty());
    check!(explanation.to_string().contains("Item"));
    let has_plan = db.driver().capabilities().operation.explain;
    check_eq!(explanation.database_plan.is_some(), has_plan);
    Ok(())
}

async fn explain_does_not_run_the_statement(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.find(Item::all()).update(Item::NAME.set("x")).explain().await?;
    check_eq!(db.get::<Item>(1).await?.name, "a");
    Ok(())
}

async fn explain_shows_no_values(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let shown = db.find(Item::NAME.eq("a secret") | Item::NAME.contains("hidden")).explain().await?.to_string();
    check!(!shown.contains("a secret") && !shown.contains("hidden"), "{shown}");
    Ok(())
}

async fn a_query_of_another_models_field_types_is_refused(db: Db) -> Verdict {
    use ommi::query::{Comparison, Condition, Expr};
    use ommi::value::Datum;
    fill(&db, named(&["a"])).await?;
    let items = db.model(Item::definition());
    let wrong = [
        Condition::compare(Expr::Field(0), Comparison::Eq, Expr::Literal(Datum::Text("1".into()))),
        Condition::compare(Expr::Field(1), Comparison::Lt, Expr::Literal(Datum::Int(1))),
        Condition::compare(Expr::Field(0), Comparison::Eq, Expr::Field(1)),
        Condition::compare(Expr::Field(99), Comparison::Eq, Expr::Literal(Datum::Int(1))),
    ];
    for condition in wrong {
        let shown = format!("{condition:?}");
        let error = refused(items.find(condition).rows().await)?;
        check!(error.is_query(), "the error of {shown} is {error}");
    }
    Ok(())
}

async fn an_error_of_a_read_leaves_the_handle_usable(db: Db) -> Verdict {
    fill(&db, vec![Item { quantity: Some(i32::MAX), ..item(1, "a") }]).await?;
    for _ in 0..20 {
        check!(refused(db.find(Item::all()).select(Item::QUANTITY + 1).all().await)?.is_query());
        check_eq!(db.find(Item::all()).count().await?, 1);
    }
    db.add(item(2, "b")).await?;
    Ok(())
}

async fn raw_statements_bind_their_parameters(db: Db) -> Verdict {
    let rows: Vec<(i64, String, Option<i64>)> = db.raw("SELECT 7, 'a', NULL").tuples().await?;
    check_eq!(rows, [(7, "a".into(), None)]);
    fill(&db, named(&["a", "b'c"])).await?;
    let rows: Vec<(i64,)> = db.raw("SELECT id FROM \"Item\" WHERE name = $1").bind("b'c").tuples().await?;
    check_eq!(rows, [(2,)]);
    let changed = db.raw("UPDATE \"Item\" SET name = $1 WHERE id < $2").bind("'; --").bind(9_i64).execute().await?;
    check_eq!(changed, 2);
    check_eq!(db.get::<Item>(1).await?.name, "'; --");
    Ok(())
}

async fn raw_rows_are_read_into_models_by_name(db: Db) -> Verdict {
    let rows = fill(&db, vec![Item { price: Some(dec!(1.5)), note: Some("n".into()), ..item(1, "a") }]).await?;
    let found = db.raw("SELECT price, 1 AS more, note, name, quantity, id FROM \"Item\"").models::<Item>().await?;
    check_eq!(found, rows);
    let error = refused(db.raw("SELECT id FROM \"Item\"").models::<Item>().await)?;
    check!(error.is_query() && error.message().contains("name"), "{error}");
    Ok(())
}

async fn a_raw_column_of_the_wrong_type_is_a_decode_error(db: Db) -> Verdict {
    let error = refused(db.raw("SELECT 'text'").tuples::<(i64,)>().await)?;
    check!(error.is_decode(), "{error}");
    let error = refused(db.raw("SELECT 300").tuples::<(u8,)>().await)?;
    check!(error.is_decode(), "{error}");
    let error = refused(db.raw("SELECT NULL").tuples::<(i64,)>().await)?;
    check!(error.is_decode(), "{error}");
    Ok(())
}

async fn a_raw_statement_that_is_wrong_is_a_query_error(db: Db) -> Verdict {
    let error = refused(db.raw("SELEKT 1").tuples::<(i64,)>().await)?;
    check!(error.is_query(), "{error}");
    let error = refused(db.raw("SELECT 1").bind("a\0b").tuples::<(i64,)>().await)?;
    check!(error.is_query(), "{error}");
    Ok(())
}

async fn raw_is_refused_where_there_is_no_language(db: Db) -> Verdict {
    let answer = db.raw("SELECT 1").tuples::<(i64,)>().await;
    let operation = db.driver().capabilities().operation;
    match (operation.raw, operation.sql) {
        (true, true) => check_eq!(answer?.len(), 1),
        (true, false) => check!(refused(answer)?.is_query()),
        (false, _) => check!(refused(answer)?.is_unsupported()),
    }
    Ok(())
}
