//! What looks like a statement stays data.

use ommi::prelude::*;

use crate::check::Verdict;
use crate::models::{Item, User, fill, item, matching, named, names, user};

cases! { "injection":
    texts_are_stored_and_found_as_they_are,
    texts_in_text_tests_are_data,
    texts_in_lists_are_data,
    texts_in_updates_are_data,
    texts_in_keys_are_data,
    texts_in_upserts_are_data needs UNIQUE AUTO_INTEGERS,
    texts_in_checks_and_defaults_are_data needs CHECKS,
    texts_in_partial_groups_are_data needs PARTIAL_UNIQUE,
    texts_in_enums_are_data,
    texts_in_cursors_are_data,
    texts_in_having_are_data,
    texts_in_long_lists_are_data,
    placeholders_in_texts_are_data,
}

const HOSTILE: [&str; 14] = [
    "'; DROP TABLE \"Item\"; --",
    "\" OR 1=1 --",
    "{\"$gt\": \"\"}",
    "$where: '1 == 1'",
    "' OR ''='",
    "\\'; --",
    "/* */",
    "1; DELETE FROM Item",
    "%' OR '%'='",
    "${7*7} {{7*7}}",
    "\r\nFLUSHALL\r\n",
    "][)(*&^%$#@!",
    "\u{2019} OR 1=1",
    "NULL",
];

async fn texts_are_stored_and_found_as_they_are(db: Db) -> Verdict {
    let rows = fill(&db, named(&HOSTILE)).await?;
    check_eq!(db.find(Item::all()).order_by(Item::ID.asc()).all().await?, rows);
    for text in HOSTILE {
        check_eq!(names(&db, Item::NAME.eq(text)).await?, [text]);
        check_eq!(db.find(Item::NAME.ne(text)).count().await?, 13);
    }
    Ok(())
}

async fn texts_in_text_tests_are_data(db: Db) -> Verdict {
    let longer: Vec<String> = HOSTILE.iter().map(|text| format!("<{text}>")).collect();
    fill(&db, named(&longer.iter().map(String::as_str).collect::<Vec<_>>())).await?;
    for (text, stored) in HOSTILE.iter().zip(&longer) {
        check_eq!(names(&db, Item::NAME.contains(*text)).await?, [stored.clone()]);
        check_eq!(names(&db, Item::NAME.starts_with(format!("<{text}"))).await?, [stored.clone()]);
        check_eq!(names(&db, Item::NAME.iends_with(format!("{text}>"))).await?, [stored.clone()]);
        check_eq!(names(&db, Item::NAME.ieq(stored)).await?, [stored.clone()]);
        let pattern: String = stored
            .chars()
            .flat_map(|of| matches!(of, '%' | '_' | '\\').then_some('\\').into_iter().chain([of]))
            .collect();
        check_eq!(names(&db, Item::NAME.like(pattern)).await?, [stored.clone()]);
        let regex: String = stored
            .chars()
            .flat_map(|of| r"\.+*?()|[]{}^$".contains(of).then_some('\\').into_iter().chain([of]))
            .collect();
        check_eq!(names(&db, Item::NAME.regex(regex)).await?, [stored.clone()]);
    }
    Ok(())
}

async fn texts_in_lists_are_data(db: Db) -> Verdict {
    fill(&db, named(&HOSTILE)).await?;
    check_eq!(matching(&db, Item::NAME.in_(HOSTILE)).await?.len(), 14);
    check_eq!(matching(&db, Item::NAME.in_([HOSTILE[0], HOSTILE[2]])).await?, [1, 3]);
    check_eq!(matching(&db, Item::NAME.not_in(HOSTILE)).await?, Vec::<i64>::new());
    Ok(())
}

async fn texts_in_updates_are_data(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    for text in HOSTILE {
        check_eq!(db.find(Item::ID.eq(1)).update((Item::NAME.set(text), Item::NOTE.set(text))).await?, 1);
        check_eq!(db.get::<Item>(1).await?, Item { note: Some(text.into()), ..item(1, text) });
        check_eq!(db.find(Item::NAME.eq(text)).update(Item::NAME.set("safe")).await?, 1);
    }
    check_eq!(db.get::<Item>(2).await?.name, "b");
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Keyed {
    #[ommi(key)]
    key: String,
    value: i64,
}

async fn texts_in_keys_are_data(db: Db) -> Verdict {
    fill(&db, (0..).zip(HOSTILE).map(|(value, key)| Keyed { key: key.into(), value }).collect()).await?;
    for (value, key) in (0_i64..).zip(HOSTILE) {
        check_eq!(db.get::<Keyed>(key).await?.value, value);
    }
    check_eq!(db.get_many::<Keyed, _>(HOSTILE).await?.len(), 14);
    db.delete(&Keyed { key: HOSTILE[0].into(), value: 0 }).await?;
    check_eq!(db.find(Keyed::all()).count().await?, 13);
    Ok(())
}

async fn texts_in_upserts_are_data(db: Db) -> Verdict {
    db.create::<User>().await?;
    for _ in 0..2 {
        let rows = HOSTILE.map(|text| User { name: Some(text.into()), ..user(text) });
        db.upsert_all(rows).on(User::EMAIL).await?;
    }
    check_eq!(db.find(User::EMAIL.eq(User::NAME)).count().await?, 14);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Guarded {
    #[ommi(key)]
    id: i64,
    #[ommi(check = Self::TEXT.ne("'; DROP TABLE x; --"), default = "it's \"here\"; --")]
    text: String,
    #[ommi(check = Self::OTHER.contains("'") | Self::OTHER.eq("") | Self::OTHER.in_(["\"", "\\", "{\"$gt\": \"\"}"]))]
    other: String,
}

async fn texts_in_checks_and_defaults_are_data(db: Db) -> Verdict {
    let of = |id, text: &str, other: &str| Guarded { id, text: text.into(), other: other.into() };
    fill(&db, vec![of(1, "", "it's"), of(2, "'", "\""), of(3, "", "\\"), of(4, "", "{\"$gt\": \"\"}")]).await?;
    check!(crate::check::refused(db.add(of(9, "'; DROP TABLE x; --", "")).await)?.is_constraint());
    check!(crate::check::refused(db.add(of(9, "", "`")).await)?.is_constraint());
    check_eq!(db.find(Guarded::all()).count().await?, 4);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(unique(name, where = Self::KIND.eq("'; --")))]
struct Partial {
    #[ommi(key)]
    id: i64,
    name: String,
    kind: String,
}

async fn texts_in_partial_groups_are_data(db: Db) -> Verdict {
    let of = |id, kind: &str| Partial { id, name: "n".into(), kind: kind.into() };
    fill(&db, vec![of(1, "'; --"), of(2, "other"), of(3, "other")]).await?;
    check!(crate::check::refused(db.add(of(4, "'; --")).await)?.is_unique_violation());
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Value)]
enum Trick {
    #[ommi(rename = "'; DROP TABLE Tricked; --")]
    Drop,
    #[ommi(rename = "\"")]
    Quote,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Tricked {
    #[ommi(key)]
    id: i64,
    #[ommi(default = Trick::Drop)]
    trick: Trick,
}

async fn texts_in_enums_are_data(db: Db) -> Verdict {
    let rows = vec![Tricked { id: 1, trick: Trick::Drop }, Tricked { id: 2, trick: Trick::Quote }];
    fill(&db, rows.clone()).await?;
    check_eq!(db.find(Tricked::all()).order_by(Tricked::ID.asc()).all().await?, rows);
    check_eq!(db.find(Tricked::TRICK.eq(Trick::Drop)).count().await?, 1);
    Ok(())
}

async fn texts_in_cursors_are_data(db: Db) -> Verdict {
    fill(&db, named(&HOSTILE)).await?;
    let (mut found, mut cursor) = (0, None);
    loop {
        let page = db.find(Item::all()).order_by(Item::NAME.desc()).limit(3).after(cursor).fetch_page().await?;
        found += page.rows.len();
        cursor = page.next();
        if cursor.is_none() {
            break;
        }
    }
    check_eq!(found, 14);
    Ok(())
}

async fn texts_in_having_are_data(db: Db) -> Verdict {
    fill(&db, named(&HOSTILE)).await?;
    for text in HOSTILE {
        let groups = db
            .find(Item::all())
            .group_by(Item::ID)
            .select(Item::NAME.max())
            .having(Item::NAME.max().eq(text))
            .all()
            .await?;
        check_eq!(groups, [text]);
    }
    Ok(())
}

async fn texts_in_long_lists_are_data(db: Db) -> Verdict {
    fill(&db, named(&HOSTILE)).await?;
    let many: Vec<String> = (0..100).map(|n| format!("{n}'\"]}},{{")).chain([HOSTILE[5].to_owned()]).collect();
    check_eq!(names(&db, Item::NAME.in_(many.clone())).await?, [HOSTILE[5]]);
    check_eq!(db.find(Item::NAME.not_in(many)).count().await?, 13);
    Ok(())
}

async fn placeholders_in_texts_are_data(db: Db) -> Verdict {
    let texts = ["?", "?1", "$1", ":name", "@name", "%s", "{}", "{0}", "??", "%(x)s"];
    fill(&db, named(&texts)).await?;
    for text in texts {
        check_eq!(names(&db, Item::NAME.eq(text) & Item::NAME.contains(text)).await?, [text]);
    }
    check_eq!(names(&db, Item::NAME.in_(texts)).await?.len(), 10);
    Ok(())
}
