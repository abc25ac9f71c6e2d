//! JSON documents.

use ommi::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::check::{Verdict, refused};
use crate::models::fill;

cases! { "json":
    equality_is_structural,
    numbers_are_equal_by_value,
    the_order_of_members_does_not_count_and_that_of_elements_does,
    json_null_differs_from_none,
    a_path_reads_text,
    a_path_reads_integers_however_they_are_written,
    a_path_reads_floats_and_booleans,
    a_path_reads_documents,
    a_missing_path_is_null,
    a_value_of_another_type_is_null,
    a_path_goes_through_arrays_by_index,
    a_key_of_a_path_is_plain_text,
    in_compares_documents_by_structure,
    rows_are_ordered_by_a_path,
    rows_are_grouped_by_a_path,
    paths_compare_with_fields,
    a_document_is_replaced_by_an_update,
    a_serde_struct_is_stored_as_json,
    a_nul_character_in_a_document_is_refused,
    a_document_nests_a_hundred_levels_and_no_deeper,
    large_integers_in_documents_stay_exact,
    documents_compare_with_each_other,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Doc {
    #[ommi(key)]
    id: i64,
    data: Json,
    extra: Option<Json>,
    name: String,
}

async fn docs(db: &Db, documents: Vec<Json>) -> Result<Vec<Doc>> {
    let rows = (1..).zip(documents).map(|(id, data)| Doc { id, data, ..Doc::default() }).collect();
    fill(db, rows).await
}

async fn found(db: &Db, filter: ommi::Filter<Doc>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Doc::ID.asc()).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn equality_is_structural(db: Db) -> Verdict {
    docs(
        &db,
        vec![
            json!({"a": [1, {"b": null}]}),
            json!({"a": [1, {}]}),
            json!({"a": [1]}),
            json!("a"),
            json!(["a"]),
            json!({}),
        ],
    )
    .await?;
    check_eq!(found(&db, Doc::DATA.eq(json!({"a": [1, {"b": null}]}))).await?, [1]);
    check_eq!(found(&db, Doc::DATA.eq(json!("a"))).await?, [4]);
    check_eq!(found(&db, Doc::DATA.ne(json!({}))).await?, [1, 2, 3, 4, 5]);
    check_eq!(found(&db, Doc::DATA.eq(json!([]))).await?, Vec::<i64>::new());
    Ok(())
}

async fn numbers_are_equal_by_value(db: Db) -> Verdict {
    docs(&db, vec![json!(1), json!(1.0), json!("1"), json!({"a": 1.50}), json!(true), json!(0), json!(-0.0)]).await?;
    check_eq!(found(&db, Doc::DATA.eq(json!(1))).await?, [1, 2]);
    check_eq!(found(&db, Doc::DATA.eq(json!(1e0))).await?, [1, 2]);
    check_eq!(found(&db, Doc::DATA.eq(json!({"a": 1.5}))).await?, [4]);
    check_eq!(found(&db, Doc::DATA.eq(json!(0.0))).await?, [6, 7]);
    Ok(())
}

async fn the_order_of_members_does_not_count_and_that_of_elements_does(db: Db) -> Verdict {
    docs(&db, vec![json!({"a": 1, "b": [1, 2]}), json!({"b": [1, 2], "a": 1}), json!({"a": 1, "b": [2, 1]})]).await?;
    let wanted: Json =
        serde_json::from_str(r#"{"b": [1, 2], "a": 1.0}"#).map_err(|error| Error::query(error.to_string()))?;
    check_eq!(found(&db, Doc::DATA.eq(wanted)).await?, [1, 2]);
    Ok(())
}

async fn json_null_differs_from_none(db: Db) -> Verdict {
    let rows = vec![Doc { id: 1, extra: Some(Json::Null), ..Doc::default() }, Doc { id: 2, ..Doc::default() }];
    fill(&db, rows.clone()).await?;
    check_eq!(db.find(Doc::all()).order_by(Doc::ID.asc()).all().await?, rows);
    check_eq!(found(&db, Doc::EXTRA.is_null()).await?, [2]);
    check_eq!(found(&db, Doc::EXTRA.eq(Json::Null)).await?, [1]);
    check_eq!(found(&db, Doc::EXTRA.eq(None)).await?, [2]);
    check_eq!(found(&db, Doc::DATA.is_null()).await?, Vec::<i64>::new());
    Ok(())
}

async fn a_path_reads_text(db: Db) -> Verdict {
    docs(
        &db,
        vec![json!({"user": {"name": "Ada"}}), json!({"user": {"name": "ada"}}), json!({"user": "Ada"}), json!(null)],
    )
    .await?;
    let name = || Doc::DATA.at("user").at("name").text();
    check_eq!(found(&db, name().eq("Ada")).await?, [1]);
    check_eq!(found(&db, name().ieq("ADA")).await?, [1, 2]);
    check_eq!(found(&db, name().starts_with("a")).await?, [2]);
    check_eq!(found(&db, name().is_null()).await?, [3, 4]);
    check_eq!(found(&db, name().in_([Some("Ada".to_owned()), None])).await?, [1, 3, 4]);
    Ok(())
}

async fn a_path_reads_integers_however_they_are_written(db: Db) -> Verdict {
    docs(
        &db,
        vec![
            json!({"n": 7}),
            json!({"n": 7.0}),
            json!({"n": 7.5}),
            json!({"n": "7"}),
            json!({"n": -8}),
            json!({"n": 7e0}),
        ],
    )
    .await?;
    check_eq!(found(&db, Doc::DATA.at("n").int().eq(7)).await?, [1, 2, 6]);
    check_eq!(found(&db, Doc::DATA.at("n").int().lt(0)).await?, [5]);
    check_eq!(found(&db, Doc::DATA.at("n").int().is_null()).await?, [3, 4]);
    check_eq!(found(&db, (Doc::DATA.at("n").int() + 1).eq(8)).await?, [1, 2, 6]);
    Ok(())
}

async fn a_path_reads_floats_and_booleans(db: Db) -> Verdict {
    docs(
        &db,
        vec![json!({"f": 1.5, "b": true}), json!({"f": 2, "b": false}), json!({"f": "x", "b": 1}), json!({"b": null})],
    )
    .await?;
    check_eq!(found(&db, Doc::DATA.at("f").float().ge(1.5)).await?, [1, 2]);
    check_eq!(found(&db, Doc::DATA.at("f").float().eq(2.0)).await?, [2]);
    check_eq!(found(&db, Doc::DATA.at("b").bool().eq(true)).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at("b").bool().is_null()).await?, [3, 4]);
    let values = db
        .find(Doc::all())
        .order_by(Doc::ID.asc())
        .select((Doc::DATA.at("f").float(), Doc::DATA.at("b").bool()))
        .all()
        .await?;
    check_eq!(values, [(Some(1.5), Some(true)), (Some(2.0), Some(false)), (None, None), (None, None)]);
    Ok(())
}

async fn a_path_reads_documents(db: Db) -> Verdict {
    docs(
        &db,
        vec![json!({"a": {"b": [1, 2]}}), json!({"a": {"b": null}}), json!({"a": {}}), json!({"a": {"b": [1.0, 2.0]}})],
    )
    .await?;
    let at = || Doc::DATA.at("a").at("b").json();
    check_eq!(found(&db, at().eq(json!([1, 2]))).await?, [1, 4]);
    check_eq!(found(&db, at().eq(Json::Null)).await?, [2]);
    check_eq!(found(&db, at().is_null()).await?, [3]);
    let values = db.find(Doc::ID.lt(4)).order_by(Doc::ID.asc()).select(at()).all().await?;
    check_eq!(values, [Some(json!([1, 2])), Some(Json::Null), None]);
    Ok(())
}

async fn a_missing_path_is_null(db: Db) -> Verdict {
    docs(&db, vec![json!({"a": 1}), json!([1]), json!("a"), json!(null), json!({"a": {"a": 1}})]).await?;
    let at = || Doc::DATA.at("a").at("a").int();
    check_eq!(found(&db, at().is_null()).await?, [1, 2, 3, 4]);
    check_eq!(found(&db, at().ne(5)).await?, [5]);
    check_eq!(found(&db, !at().eq(5)).await?, [5]);
    Ok(())
}

async fn a_value_of_another_type_is_null(db: Db) -> Verdict {
    docs(&db, vec![json!({"v": "1"}), json!({"v": 1}), json!({"v": true}), json!({"v": [1]}), json!({"v": null})])
        .await?;
    check_eq!(found(&db, Doc::DATA.at("v").text().is_not_null()).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at("v").int().is_not_null()).await?, [2]);
    check_eq!(found(&db, Doc::DATA.at("v").float().is_not_null()).await?, [2]);
    check_eq!(found(&db, Doc::DATA.at("v").bool().is_not_null()).await?, [3]);
    check_eq!(found(&db, Doc::DATA.at("v").json().is_not_null()).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn a_path_goes_through_arrays_by_index(db: Db) -> Verdict {
    docs(&db, vec![json!([[10, 20], [30]]), json!([[1]]), json!({"0": ["x"]}), json!([])]).await?;
    check_eq!(found(&db, Doc::DATA.at(0).at(1).int().eq(20)).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at(1).at(0).int().is_not_null()).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at(0).json().is_not_null()).await?, [1, 2]);
    check_eq!(found(&db, Doc::DATA.at("0").json().is_not_null()).await?, [3]);
    check_eq!(found(&db, Doc::DATA.at(1000).json().is_not_null()).await?, Vec::<i64>::new());
    Ok(())
}

const KEYS: [&str; 14] =
    ["a.b", "$", "$.a", "a[0]", "[0]", "", " ", "'", "\"", "\\", "*", "日本", "\u{1F600}", "') OR 1=1 --"];

async fn a_key_of_a_path_is_plain_text(db: Db) -> Verdict {
    let documents = KEYS.iter().zip(0..).map(|(key, n)| json!({*key: n, "a": {"b": -1}, "other": [-2]})).collect();
    docs(&db, documents).await?;
    for (key, n) in KEYS.iter().zip(0_i64..) {
        check_eq!(found(&db, Doc::DATA.at(*key).int().eq(n)).await?, [n + 1], "the key {key:?}");
    }
    Ok(())
}

async fn in_compares_documents_by_structure(db: Db) -> Verdict {
    docs(&db, vec![json!({"a": 1, "b": 2}), json!([1]), json!(1), json!(null), json!({"b": 2.0, "a": 1.0})]).await?;
    check_eq!(found(&db, Doc::DATA.in_([json!({"b": 2, "a": 1}), json!([1.0])])).await?, [1, 2, 5]);
    let many: Vec<Json> = (1..30).map(|n| json!(n)).chain([Json::Null]).collect();
    check_eq!(found(&db, Doc::DATA.in_(many.clone())).await?, [3, 4]);
    check_eq!(found(&db, Doc::DATA.not_in(many)).await?, [1, 2, 5]);
    Ok(())
}

async fn rows_are_ordered_by_a_path(db: Db) -> Verdict {
    docs(&db, vec![json!({"n": 10}), json!({"n": 9}), json!({}), json!({"n": "5"}), json!({"n": -1})]).await?;
    let rows =
        db.find(Doc::all()).order_by((Doc::DATA.at("n").int().asc(), Doc::ID.asc())).select(Doc::ID).all().await?;
    check_eq!(rows, [3, 4, 5, 2, 1]);
    Ok(())
}

async fn rows_are_grouped_by_a_path(db: Db) -> Verdict {
    docs(&db, vec![json!({"k": "a", "n": 1}), json!({"k": "b", "n": 5}), json!({"k": "a", "n": 3}), json!({"n": 9})])
        .await?;
    let key = || Doc::DATA.at("k").text();
    let groups = db
        .find(Doc::all())
        .group_by(key())
        .select((key(), count(), Doc::DATA.at("n").int().sum()))
        .order_by(key().asc())
        .all()
        .await?;
    check_eq!(groups, [(None, 1, Some(9)), (Some("a".into()), 2, Some(4)), (Some("b".into()), 1, Some(5))]);
    Ok(())
}

async fn paths_compare_with_fields(db: Db) -> Verdict {
    let rows = vec![
        Doc { id: 1, data: json!({"name": "x", "id": 1}), name: "x".into(), extra: None },
        Doc { id: 2, data: json!({"name": "y", "id": 3}), name: "x".into(), extra: None },
        Doc { id: 3, data: json!({}), name: "x".into(), extra: None },
    ];
    fill(&db, rows).await?;
    check_eq!(found(&db, Doc::DATA.at("name").text().eq(Doc::NAME)).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at("id").int().gt(Doc::ID)).await?, [2]);
    Ok(())
}

async fn a_document_is_replaced_by_an_update(db: Db) -> Verdict {
    docs(&db, vec![json!({"a": 1}), json!({"a": 2})]).await?;
    check_eq!(db.find(Doc::DATA.at("a").int().eq(1)).update(Doc::DATA.set(json!({"b": [true]}))).await?, 1);
    check_eq!(db.get::<Doc>(1).await?.data, json!({"b": [true]}));
    check_eq!(db.find(Doc::all()).update(Doc::EXTRA.set(Doc::DATA)).await?, 2);
    check_eq!(db.get::<Doc>(2).await?.extra, Some(json!({"a": 2})));
    Ok(())
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Settings {
    theme: String,
    sizes: Vec<Option<u32>>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Profile {
    #[ommi(key)]
    id: i64,
    #[ommi(json)]
    settings: Settings,
    #[ommi(json)]
    previous: Option<Settings>,
}

async fn a_serde_struct_is_stored_as_json(db: Db) -> Verdict {
    let settings = Settings { theme: "dark".into(), sizes: vec![Some(1), None] };
    let rows = vec![
        Profile { id: 1, settings: settings.clone(), previous: Some(Settings::default()) },
        Profile { id: 2, ..Profile::default() },
    ];
    fill(&db, rows.clone()).await?;
    check_eq!(db.find(Profile::all()).order_by(Profile::ID.asc()).all().await?, rows);
    check_eq!(db.find(Profile::SETTINGS.at("theme").text().eq("dark")).select(Profile::ID).all().await?, [1]);
    check_eq!(db.find(Profile::PREVIOUS.is_null()).select(Profile::ID).all().await?, [2]);
    Ok(())
}

async fn a_nul_character_in_a_document_is_refused(db: Db) -> Verdict {
    docs(&db, vec![json!(1)]).await?;
    for document in [json!("\0"), json!({"a": ["x\0"]}), json!({"\0": 1})] {
        check!(refused(db.add(Doc { id: 2, data: document.clone(), ..Doc::default() }).await)?.is_query());
        check!(refused(db.find(Doc::DATA.eq(document)).all().await)?.is_query());
    }
    check_eq!(db.find(Doc::all()).count().await?, 1);
    Ok(())
}

fn nested(levels: usize) -> Json {
    (1..levels).fold(json!([]), |inside, _| json!([inside]))
}

async fn a_document_nests_a_hundred_levels_and_no_deeper(db: Db) -> Verdict {
    docs(&db, vec![nested(100)]).await?;
    check_eq!(db.get::<Doc>(1).await?.data, nested(100));
    check_eq!(found(&db, Doc::DATA.eq(nested(100))).await?, [1]);
    check!(refused(db.add(Doc { id: 2, data: nested(101), ..Doc::default() }).await)?.is_query());
    Ok(())
}

async fn large_integers_in_documents_stay_exact(db: Db) -> Verdict {
    let documents = vec![
        json!({"n": i64::MAX}),
        json!({"n": i64::MIN}),
        json!({"n": u64::MAX}),
        json!({"n": (1_i64 << 53) + 1}),
        json!({"n": 1_i64 << 53}),
    ];
    docs(&db, documents.clone()).await?;
    let rows = db.find(Doc::all()).order_by(Doc::ID.asc()).all().await?;
    check_eq!(rows.into_iter().map(|row| row.data).collect::<Vec<_>>(), documents);
    check_eq!(found(&db, Doc::DATA.at("n").int().eq(i64::MAX)).await?, [1]);
    check_eq!(found(&db, Doc::DATA.at("n").int().eq((1_i64 << 53) + 1)).await?, [4]);
    check_eq!(found(&db, Doc::DATA.at("n").int().is_null()).await?, [3]);
    check_eq!(found(&db, Doc::DATA.eq(json!({"n": (1_i64 << 53) + 1}))).await?, [4]);
    check_eq!(found(&db, Doc::DATA.eq(json!({"n": 9_007_199_254_740_992.0}))).await?, [5]);
    Ok(())
}

async fn documents_compare_with_each_other(db: Db) -> Verdict {
    let of = |id, data, extra| Doc { id, data, extra, ..Doc::default() };
    let rows = vec![
        of(1, json!({"a": 1, "b": 2}), Some(json!({"b": 2.0, "a": 1}))),
        of(2, json!(1), Some(json!(2))),
        of(3, json!(null), None),
        of(4, json!(null), Some(Json::Null)),
    ];
    fill(&db, rows).await?;
    check_eq!(found(&db, Doc::DATA.eq(Doc::EXTRA)).await?, [1, 4]);
    check_eq!(found(&db, Doc::DATA.ne(Doc::EXTRA)).await?, [2]);
    Ok(())
}
