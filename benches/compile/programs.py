"""Programs with the same models for each mapper, used as its documentation recommends."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from report import REPOSITORY

LIMIT = 50
"""How many rows the queries of the models ask for."""


@dataclass(frozen=True)
class Mapper:
    """What programs with a mapper look like."""

    name: str
    package: str
    lock: str
    """The lock file with the versions that the other benches have."""
    dependencies: str
    """Those of a program on SQLite, as lines of `Cargo.toml`."""
    model: str
    """A model's file. Lines after `1|` are of models of odd numbers, which belong to the one before, and those
    after `0|` of the others."""
    main: str
    """What calls all of these files."""
    call: str
    user: str
    """A model without relations."""
    minimal: str
    """What makes a table, inserts a user and reads it."""

    @property
    def folder(self) -> str:
        return self.name.lower()

    def module(self, number: int, limit: int = LIMIT) -> str:
        other = "0|" if number % 2 else "1|"
        lines = (
            line[2:] if line[1:2] == "|" else line for line in self.model.split("\n") if not line.startswith(other)
        )
        return Template("\n".join(lines)).substitute(number=number, owner=number - 1, limit=limit)

    def program(self, models: int) -> str:
        numbers = range(models)
        return Template(self.main).substitute(
            modules="\n".join(f"mod model_{number};" for number in numbers),
            models=groups([f"model_{number}::Model{number}" for number in numbers]),
            calls="\n".join(f"    let last = {Template(self.call).substitute(number=number)};" for number in numbers),
        )

    def write(self, folder: Path, models: int) -> None:
        """Writes the programs as one workspace, with the versions of the lock file, in place of all that was there."""
        shutil.rmtree(folder, ignore_errors=True)
        uses = "\n".join(line for line in self.user.split("\n") if line.startswith("use "))
        files = {f"model_{number}.rs": self.module(number) for number in range(models)}
        programs = {
            "models": {"main.rs": self.program(models)} | files,
            "minimal": {"main.rs": f"{self.user}\n{self.minimal}"},
            "one": {"main.rs": f"{self.user}\nfn main() {{}}\n"},
            "none": {"main.rs": f"{uses}\n\nfn main() {{}}\n"},
        }
        for program, sources in programs.items():
            (folder / program / "src").mkdir(parents=True)
            manifest = f'[package]\nname = "{program}"\nedition = "2024"\n\n[dependencies]\n{self.dependencies}'
            (folder / program / "Cargo.toml").write_text(manifest)
            for name, source in sources.items():
                (folder / program / "src" / name).write_text(source)
        members = ", ".join(f'"{program}"' for program in programs)
        (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = [{members}]\n')
        shutil.copy(REPOSITORY / self.lock, folder / "Cargo.lock")


def groups(models: list[str]) -> str:
    """Tuples of at most sixteen, which is as many as `create` takes at once."""
    tuples = (", ".join(models[first : first + 16]) for first in range(0, len(models), 16))
    return "\n".join(f"    db.create::<({of},)>().await?;" for of in tuples)


TOKIO = 'tokio = { version = "1.54", features = ["rt-multi-thread", "macros"] }\n'

OMMI = Mapper(
    name="Ommi",
    package="ommi",
    lock="Cargo.lock",
    dependencies=f"""\
ommi = {{ path = "{REPOSITORY}/crates/ommi", default-features = false, features = ["sqlite"] }}
{TOKIO}""",
    model="""\
use ommi::prelude::*;
1|
1|use crate::model_$owner::Model$owner;

#[derive(Model, Clone, Debug, Default)]
pub struct Model$number {
    #[ommi(key, auto)]
    pub id: i64,
    pub name: String,
    pub note: Option<String>,
    pub age: i32,
    pub visits: i64,
    pub active: bool,
    pub score: f64,
    pub created_at: i64,
    pub updated_at: i64,
0|    pub rank: i64,
1|    #[ommi(references = Model$owner, index)]
1|    pub owner_id: i64,
1|    pub owner: One<Model$owner>,
}

pub async fn work(db: &Db, last: i64) -> Result<i64> {
    let found = db
        .find(Model$number::ACTIVE.eq(true) & Model$number::AGE.ge(18))
        .order_by(Model$number::NAME.asc())
        .limit($limit)
        .all()
        .await?;
    let added = db
        .add(Model$number {
            name: "Ada".into(),
            note: None,
            age: 36,
            visits: 0,
            active: true,
            score: 0.5,
            created_at: 1,
            updated_at: 1,
0|            rank: last,
1|            owner_id: last,
            ..Default::default()
        })
        .await?;
    db.find(Model$number::ID.eq(added.id)).update(Model$number::VISITS.set(found.len() as i64)).await?;
    Ok(added.id)
}
""",
    main="""\
$modules

#[tokio::main(flavor = "current_thread")]
async fn main() -> ommi::Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
$models
    let last = 0;
$calls
    println!("{last}");
    Ok(())
}
""",
    call="model_$number::work(&db, last).await?",
    user="""\
use ommi::prelude::*;

#[derive(Model, Clone, Debug, Default)]
struct User {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}
""",
    minimal="""\
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let db = ommi::connect("sqlite::memory:").await?;
    db.create::<User>().await?;
    let user = User { name: "Ada".into(), hair_color: Some("black".into()), age: 36, ..Default::default() };
    let id = db.add(user).await?.id;
    println!("{:?}", db.get::<User>(id).await?);
    Ok(())
}
""",
)

DIESEL = Mapper(
    name="Diesel",
    package="diesel",
    lock="benches/peers/sql/Cargo.lock",
    dependencies="""\
diesel = { version = "2.3", features = ["sqlite", "returning_clauses_for_sqlite_3_35"] }
libsqlite3-sys = { version = "0.37", features = ["bundled"] }
""",
    model="""\
use diesel::prelude::*;
1|
1|use crate::model_$owner::{Model$owner, models_$owner};

diesel::table! {
    models_$number (id) {
        id -> BigInt,
        name -> Text,
        note -> Nullable<Text>,
        age -> Integer,
        visits -> BigInt,
        active -> Bool,
        score -> Double,
        created_at -> BigInt,
        updated_at -> BigInt,
0|        rank -> BigInt,
1|        owner_id -> BigInt,
    }
}
1|
1|diesel::joinable!(models_$number -> models_$owner (owner_id));
1|diesel::allow_tables_to_appear_in_same_query!(models_$owner, models_$number);

0|#[derive(Queryable, Selectable, Identifiable, Debug)]
0|#[diesel(table_name = models_$number)]
1|#[derive(Queryable, Selectable, Identifiable, Associations, Debug)]
1|#[diesel(table_name = models_$number, belongs_to(Model$owner, foreign_key = owner_id))]
pub struct Model$number {
    pub id: i64,
    pub name: String,
    pub note: Option<String>,
    pub age: i32,
    pub visits: i64,
    pub active: bool,
    pub score: f64,
    pub created_at: i64,
    pub updated_at: i64,
0|    pub rank: i64,
1|    pub owner_id: i64,
}

#[derive(Insertable)]
#[diesel(table_name = models_$number)]
pub struct NewModel$number {
    pub name: String,
    pub note: Option<String>,
    pub age: i32,
    pub visits: i64,
    pub active: bool,
    pub score: f64,
    pub created_at: i64,
    pub updated_at: i64,
0|    pub rank: i64,
1|    pub owner_id: i64,
}

pub fn work(connection: &mut SqliteConnection, last: i64) -> QueryResult<i64> {
    let found = models_$number::table
        .filter(models_$number::active.eq(true))
        .filter(models_$number::age.ge(18))
        .order(models_$number::name)
        .limit($limit)
        .select(Model$number::as_select())
        .load(connection)?;
    let new = NewModel$number {
        name: "Ada".into(),
        note: None,
        age: 36,
        visits: 0,
        active: true,
        score: 0.5,
        created_at: 1,
        updated_at: 1,
0|        rank: last,
1|        owner_id: last,
    };
    let added = diesel::insert_into(models_$number::table)
        .values(new)
        .returning(Model$number::as_returning())
        .get_result(connection)?;
    diesel::update(models_$number::table.find(added.id))
        .set(models_$number::visits.eq(found.len() as i64))
        .execute(connection)?;
    Ok(added.id)
}
""",
    main="""\
$modules

use diesel::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = SqliteConnection::establish("models.db")?;
    let last = 0;
$calls
    println!("{last}");
    Ok(())
}
""",
    call="model_$number::work(&mut connection, last)?",
    user="""\
use diesel::prelude::*;

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        hair_color -> Nullable<Text>,
        age -> BigInt,
        created_at -> BigInt,
    }
}

#[derive(Queryable, Selectable, Identifiable, Debug)]
#[diesel(table_name = users)]
struct User {
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUser {
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}
""",
    minimal="""\
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = SqliteConnection::establish(":memory:")?;
    let create = "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, hair_color TEXT,
        age BIGINT NOT NULL, created_at BIGINT NOT NULL)";
    diesel::sql_query(create).execute(&mut connection)?;
    let user = NewUser { name: "Ada".into(), hair_color: Some("black".into()), age: 36, created_at: 0 };
    let id: i64 =
        diesel::insert_into(users::table).values(user).returning(users::id).get_result(&mut connection)?;
    println!("{:?}", users::table.find(id).select(User::as_select()).first(&mut connection)?);
    Ok(())
}
""",
)

SEA_ORM = Mapper(
    name="SeaORM",
    package="sea-orm",
    lock="benches/peers/sql/Cargo.lock",
    dependencies=f"""\
sea-orm = {{ version = "2.0", default-features = false, features = [
    "macros",
    "runtime-tokio",
    "sqlx-sqlite",
    "sqlite-use-returning-for-3_35",
] }}
{TOKIO}""",
    model="""\
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "models_$number")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    pub note: Option<String>,
    pub age: i32,
    pub visits: i64,
    pub active: bool,
    pub score: f64,
    pub created_at: i64,
    pub updated_at: i64,
0|    pub rank: i64,
1|    pub owner_id: i64,
1|    #[sea_orm(belongs_to, from = "owner_id", to = "id")]
1|    pub owner: BelongsTo<crate::model_$owner::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

pub async fn work(db: &DatabaseConnection, last: i64) -> Result<i64, DbErr> {
    let found = Entity::find()
        .filter(COLUMN.active.eq(true))
        .filter(COLUMN.age.gte(18))
        .order_by_asc(COLUMN.name)
        .limit($limit)
        .all(db)
        .await?;
    let new = ActiveModel {
        name: Set("Ada".into()),
        note: Set(None),
        age: Set(36),
        visits: Set(0),
        active: Set(true),
        score: Set(0.5),
        created_at: Set(1),
        updated_at: Set(1),
0|        rank: Set(last),
1|        owner_id: Set(last),
        ..Default::default()
    };
    let added = new.insert(db).await?;
    let id = added.id;
    let mut changed: ActiveModel = added.into();
    changed.visits = Set(found.len() as i64);
    changed.update(db).await?;
    Ok(id)
}
""",
    main="""\
$modules

use sea_orm::{Database, DbErr};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), DbErr> {
    let db = Database::connect("sqlite://models.db").await?;
    let last = 0;
$calls
    println!("{last}");
    Ok(())
}
""",
    call="model_$number::work(&db, last).await?",
    user="""\
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    pub hair_color: Option<String>,
    pub age: i64,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
""",
    minimal="""\
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, Database, Schema};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), DbErr> {
    let db = Database::connect("sqlite::memory:").await?;
    let create = Schema::new(db.get_database_backend()).create_table_from_entity(Entity);
    db.execute(&create).await?;
    let user = ActiveModel {
        name: Set("Ada".into()),
        hair_color: Set(Some("black".into())),
        age: Set(36),
        created_at: Set(0),
        ..Default::default()
    };
    let id = user.insert(&db).await?.id;
    println!("{:?}", Entity::find_by_id(id).one(&db).await?);
    Ok(())
}
""",
)

TOASTY = Mapper(
    name="Toasty",
    package="toasty",
    lock="benches/peers/toasty/Cargo.lock",
    dependencies=f"""\
toasty = {{ version = "0.11", default-features = false, features = ["sqlite"] }}
{TOKIO}""",
    # keys are `u64`, as in Toasty's guide
    model="""\
use toasty::Db;
1|
1|use crate::model_$owner::Model$owner;

#[derive(Debug, toasty::Model)]
pub struct Model$number {
    #[key]
    #[auto]
    pub id: u64,
    pub name: String,
    pub note: Option<String>,
    pub age: i32,
    pub visits: i64,
    pub active: bool,
    pub score: f64,
    pub created_at: i64,
    pub updated_at: i64,
0|    pub rank: u64,
1|    #[index]
1|    pub owner_id: u64,
1|    #[belongs_to]
1|    pub owner: toasty::Deferred<Model$owner>,
}

pub async fn work(db: &mut Db, last: u64) -> toasty::Result<u64> {
    let found = Model$number::filter(Model$number::fields().active().eq(true).and(Model$number::fields().age().ge(18)))
        .order_by(Model$number::fields().name().asc())
        .limit($limit)
        .exec(db)
        .await?;
    let added = toasty::create!(Model$number {
        name: "Ada",
        note: None::<String>,
        age: 36,
        visits: 0,
        active: true,
        score: 0.5,
        created_at: 1,
        updated_at: 1,
0|        rank: last,
1|        owner_id: last,
    })
    .exec(db)
    .await?;
    Model$number::update_by_id(added.id).visits(found.len() as i64).exec(db).await?;
    Ok(added.id)
}
""",
    main="""\
$modules

#[tokio::main(flavor = "current_thread")]
async fn main() -> toasty::Result<()> {
    let mut db = toasty::Db::builder().models(toasty::models!(crate::*)).connect("sqlite::memory:").await?;
    db.push_schema().await?;
    let last = 0;
$calls
    println!("{last}");
    Ok(())
}
""",
    call="model_$number::work(&mut db, last).await?",
    user="""\
#[derive(Debug, toasty::Model)]
struct User {
    #[key]
    #[auto]
    id: u64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}
""",
    minimal="""\
#[tokio::main(flavor = "current_thread")]
async fn main() -> toasty::Result<()> {
    let mut db = toasty::Db::builder().models(toasty::models!(crate::*)).connect("sqlite::memory:").await?;
    db.push_schema().await?;
    let user = toasty::create!(User { name: "Ada", hair_color: Some("black".to_owned()), age: 36, created_at: 0 });
    let id = user.exec(&mut db).await?.id;
    println!("{:?}", User::get_by_id(&mut db, id).await?);
    Ok(())
}
""",
)

MAPPERS = [OMMI, DIESEL, SEA_ORM, TOASTY]
