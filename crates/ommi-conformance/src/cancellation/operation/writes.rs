//! Writing.

use ommi::driver::BoxFuture;
use ommi::prelude::*;

use super::operations;
use crate::cancellation::cut::cut;
use crate::models::{Item, User, item, user};

/// Rows of a name, from the first key on.
fn rows(first: i64, number: i64, name: &str) -> Vec<Item> {
    (first..first + number).map(|id| item(id, name)).collect()
}

/// The users that an operation has added, as items.
fn users(db: Db, first: i64) -> BoxFuture<'static, Result<Vec<Item>>> {
    Box::pin(async move {
        let of = User::EMAIL.starts_with(format!("{first}:"));
        let users = db.find(of).order_by(User::ID.asc()).all().await?;
        Ok((first..).zip(users).map(|(id, user)| item(id, user.name.as_deref().unwrap_or("added"))).collect())
    })
}

fn address(first: i64, number: i64) -> String {
    format!("{first}:{number:03}")
}

operations! {
    "add", after |first| rows(first, 1, "added") => |db, first, cut| {
        check_eq!(cut!(cut, db.add(item(first, "added"))), item(first, "added"));
        Ok(true)
    }
    "add_all", after |first| rows(first, 300, "added") => |db, first, cut| {
        cut!(cut, db.add_all(rows(first, 300, "added")));
        Ok(true)
    }
    "add with an automatic key" needs AUTO_INTEGERS UNIQUE, after |first| rows(first, 1, "added"), rows users
    => |db, first, cut| {
        cut!(cut, db.add(user(&address(first, 0))));
        Ok(true)
    }
    "add_all with automatic keys" needs AUTO_INTEGERS UNIQUE, after |first| rows(first, 60, "added"), rows users
    => |db, first, cut| {
        let added = cut!(cut, db.add_all((0..60).map(|number| user(&address(first, number)))));
        for pair in added.windows(2) {
            check!(matches!(pair, [one, next] if one.id < next.id && one.email < next.email));
        }
        Ok(true)
    }
    "add that is refused", before |first| rows(first, 1, "old"), after |first| rows(first, 1, "old")
    => |db, first, cut| {
        let refused = async {
            match db.add(item(first, "new")).await {
                Err(error) if error.is_unique_violation() => Ok(()),
                answer => answer.map(drop),
            }
        };
        cut!(cut, refused);
        Ok(true)
    }
    "update of rows", before |first| rows(first, 200, "old"), after |first| rows(first, 200, "new")
    => |db, first, cut| {
        let query = db.find(Item::ID.between(first, first + 199));
        check_eq!(cut!(cut, query.update(Item::NAME.set("new"))), 200);
        Ok(true)
    }
    "update of an instance", before |first| rows(first, 1, "old"), after |first| rows(first, 1, "new")
    => |db, first, cut| {
        let row = item(first, "new");
        cut!(cut, db.update(&row, (Item::NAME, Item::QUANTITY)));
        Ok(true)
    }
    "delete of rows", before |first| rows(first, 200, "old") => |db, first, cut| {
        check_eq!(cut!(cut, db.find(Item::ID.between(first, first + 199)).delete()), 200);
        Ok(true)
    }
    "delete of an instance", before |first| rows(first, 1, "old") => |db, first, cut| {
        let row = item(first, "old");
        cut!(cut, db.delete(&row));
        Ok(true)
    }
    "upsert of a new row", after |first| rows(first, 1, "new") => |db, first, cut| {
        check_eq!(cut!(cut, db.upsert(item(first, "new")).count()), 1);
        Ok(true)
    }
    "upsert of rows that are there", before |first| rows(first, 10, "old"), after |first| rows(first, 20, "new")
    => |db, first, cut| {
        check_eq!(cut!(cut, db.upsert_all(rows(first, 20, "new")).count()), 20);
        Ok(true)
    }
    "save of a new row", after |first| rows(first, 1, "new") => |db, first, cut| {
        let mut row = item(first, "new");
        cut!(cut, db.save(&mut row));
        Ok(true)
    }
    "save of a row that is there", before |first| rows(first, 1, "old"), after |first| rows(first, 1, "new")
    => |db, first, cut| {
        let mut row = item(first, "new");
        cut!(cut, db.save(&mut row));
        Ok(true)
    }
    "get_or_create" needs AUTO_INTEGERS UNIQUE, after |first| rows(first, 1, "added"), rows users => |db, first, cut| {
        let row = cut!(cut, db.get_or_create(User::EMAIL.eq(address(first, 0)), || user(&address(first, 0))));
        check_eq!(row.email, address(first, 0));
        Ok(true)
    }
    "raw write" needs SQL, before |first| rows(first, 3, "old"), after |first| rows(first, 3, "new")
    => |db, first, cut| {
        let text = format!(r#"UPDATE "Item" SET "name" = 'new' WHERE "id" BETWEEN {first} AND {}"#, first + 2);
        check_eq!(cut!(cut, db.raw(text).execute()), 3);
        Ok(true)
    }
}
