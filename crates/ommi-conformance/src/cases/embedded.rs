//! Structs inside models.

use ommi::prelude::*;

use crate::check::{Verdict, present};
use crate::models::fill;

cases! { "embedded":
    an_embedded_struct_comes_back,
    fields_of_an_embedded_struct_are_filtered_and_ordered_by,
    fields_of_an_embedded_struct_are_updated,
    an_absent_embedded_struct_is_none,
    an_embedded_struct_whose_own_fields_are_null_is_there,
    embedded_structs_nest,
    two_fields_may_embed_the_same_struct,
    fields_of_an_embedded_struct_are_stored_under_both_names needs COLUMNS,
    fields_of_an_embedded_struct_are_grouped_by_and_selected,
    an_instance_update_writes_a_whole_embedded_struct,
    unique_groups_reach_into_embedded_structs needs UNIQUE,
    embedded_fields_keep_their_names_and_limits,
}

#[derive(Clone, Debug, Default, PartialEq, Value)]
struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Clone, Debug, Default, PartialEq, Value)]
struct Address {
    city: String,
    #[ommi(name = "zip code", max_length = 5)]
    zip: Option<String>,
    #[ommi(embed)]
    place: Point,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(unique(home.city, home.place.x))]
struct Person {
    #[ommi(key)]
    id: i64,
    #[ommi(embed)]
    home: Address,
    #[ommi(embed)]
    work: Option<Address>,
    name: String,
}

fn address(city: &str, x: i32) -> Address {
    Address { city: city.into(), zip: None, place: Point { x, y: None } }
}

fn person(id: i64, home: Address, work: Option<Address>) -> Person {
    Person { id, home, work, name: format!("person {id}") }
}

async fn people(db: &Db) -> Result<Vec<Person>> {
    let full = Address { zip: Some("01001".into()), place: Point { x: 7, y: Some(-7) }, ..address("Kyiv", 0) };
    let rows = vec![
        person(1, full.clone(), None),
        person(2, address("Lviv", 2), Some(full)),
        person(3, address("Lviv", 3), Some(address("", 0))),
    ];
    fill(db, rows).await
}

async fn ids(query: ommi::Query<Person>) -> Result<Vec<i64>> {
    Ok(query.all().await?.into_iter().map(|person| person.id).collect())
}

const HOME_CITY: ommi::Field<Person, String> = Person::HOME.at(Address::CITY);
const WORK_CITY: ommi::Field<Person, Option<String>> = Person::WORK.at(Address::CITY);
const HOME_X: ommi::Field<Person, i32> = Person::HOME.inside(Address::PLACE).at(Point::X);

async fn an_embedded_struct_comes_back(db: Db) -> Verdict {
    let rows = people(&db).await?;
    check_eq!(db.find(Person::all()).order_by(Person::ID.asc()).all().await?, rows);
    Ok(())
}

async fn fields_of_an_embedded_struct_are_filtered_and_ordered_by(db: Db) -> Verdict {
    people(&db).await?;
    check_eq!(ids(db.find(HOME_CITY.eq("Lviv")).order_by(HOME_X.desc())).await?, [3, 2]);
    check_eq!(ids(db.find(Person::WORK.at(Address::ZIP).eq("01001"))).await?, [2]);
    check_eq!(
        ids(db.find(HOME_CITY.eq(WORK_CITY) | HOME_CITY.ne(WORK_CITY)).order_by(Person::ID.asc())).await?,
        [2, 3]
    );
    Ok(())
}

async fn fields_of_an_embedded_struct_are_updated(db: Db) -> Verdict {
    people(&db).await?;
    check_eq!(
        db.find(HOME_X.gt(2)).update((HOME_X.set(HOME_X + 100), Person::HOME.at(Address::ZIP).set("12345"))).await?,
        2
    );
    let row = db.get::<Person>(3).await?;
    check_eq!((row.home.place.x, row.home.zip.as_deref(), row.home.city.as_str()), (103, Some("12345"), "Lviv"));
    Ok(())
}

async fn an_absent_embedded_struct_is_none(db: Db) -> Verdict {
    people(&db).await?;
    check_eq!(db.get::<Person>(1).await?.work, None);
    check_eq!(ids(db.find(WORK_CITY.is_null())).await?, [1]);
    db.update(&Person { work: None, ..db.get::<Person>(2).await? }, Person::WORK).await?;
    check_eq!(ids(db.find(WORK_CITY.is_null()).order_by(Person::ID.asc())).await?, [1, 2]);
    Ok(())
}

async fn an_embedded_struct_whose_own_fields_are_null_is_there(db: Db) -> Verdict {
    people(&db).await?;
    check_eq!(db.get::<Person>(3).await?.work, Some(address("", 0)));
    Ok(())
}

async fn embedded_structs_nest(db: Db) -> Verdict {
    people(&db).await?;
    let y = Person::WORK.inside(Address::PLACE).at(Point::Y);
    check_eq!(ids(db.find(y.eq(-7))).await?, [2]);
    check_eq!(
        ids(db.find(Person::WORK.inside(Address::PLACE).at(Point::X).is_not_null()).order_by(Person::ID.asc())).await?,
        [2, 3]
    );
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Line {
    #[ommi(key)]
    id: i64,
    #[ommi(embed)]
    from: Point,
    #[ommi(embed)]
    to: Point,
}

async fn two_fields_may_embed_the_same_struct(db: Db) -> Verdict {
    let of = |id, from, to| Line { id, from: Point { x: from, y: None }, to: Point { x: to, y: Some(1) } };
    let rows = vec![of(1, 1, 2), of(2, 5, 4)];
    fill(&db, rows.clone()).await?;
    check_eq!(db.find(Line::all()).order_by(Line::ID.asc()).all().await?, rows);
    let falling = db.find(Line::FROM.at(Point::X).gt(Line::TO.at(Point::X))).select(Line::ID).all().await?;
    check_eq!(falling, [2]);
    Ok(())
}

async fn fields_of_an_embedded_struct_are_stored_under_both_names(db: Db) -> Verdict {
    people(&db).await?;
    let schema = db.inspect().await?;
    let columns: Vec<_> = present(schema.table("Person"))?.columns.iter().map(|column| column.name.as_str()).collect();
    let expected = [
        "id",
        "home_city",
        "home_zip code",
        "home_place_x",
        "home_place_y",
        "work_city",
        "work_zip code",
        "work_place_x",
        "work_place_y",
        "name",
    ];
    check_eq!(columns, expected);
    Ok(())
}

async fn fields_of_an_embedded_struct_are_grouped_by_and_selected(db: Db) -> Verdict {
    people(&db).await?;
    let groups = db
        .find(Person::all())
        .group_by(HOME_CITY)
        .select((HOME_CITY, count(), HOME_X.sum()))
        .order_by(HOME_CITY.asc())
        .all()
        .await?;
    check_eq!(groups, [("Kyiv".into(), 1, 7), ("Lviv".into(), 2, 5)]);
    let cities = db.find(Person::all()).order_by(Person::ID.asc()).select((HOME_CITY, WORK_CITY)).all().await?;
    check_eq!(
        cities,
        [("Kyiv".into(), None), ("Lviv".into(), Some("Kyiv".into())), ("Lviv".into(), Some(String::new()))]
    );
    Ok(())
}

async fn an_instance_update_writes_a_whole_embedded_struct(db: Db) -> Verdict {
    let rows = people(&db).await?;
    let first = present(rows.first())?;
    let changed = Person { home: address("Odesa", 9), name: "not this".into(), ..first.clone() };
    db.update(&changed, Person::HOME).await?;
    check_eq!(db.get::<Person>(1).await?, Person { name: first.name.clone(), ..changed });
    Ok(())
}

async fn unique_groups_reach_into_embedded_structs(db: Db) -> Verdict {
    people(&db).await?;
    let error = crate::check::refused(db.add(person(4, address("Lviv", 2), None)).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["home.city", "home.place.x"]);
    db.add(person(4, address("Lviv", 4), None)).await?;
    Ok(())
}

async fn embedded_fields_keep_their_names_and_limits(db: Db) -> Verdict {
    people(&db).await?;
    let long = Address { zip: Some("123456".into()), ..address("x", 1) };
    let error = crate::check::refused(db.add(person(4, long, None)).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check));
    check_eq!(error.fields(), ["home.zip"]);
    Ok(())
}
