//! Reading.

use ommi::Error;
use ommi::prelude::*;

use super::{KEPT, kept, operations};
use crate::cancellation::cut::{Ended, cut};
use crate::models::Item;

/// The kept rows of some keys.
fn some(from: i64, to: i64) -> Vec<Item> {
    (from..=to).map(kept).collect()
}

operations! {
    "get" => |db, _, cut| {
        check_eq!(cut!(cut, db.get::<Item>(7)), kept(7));
        Ok(true)
    }
    "get of a row that is not there" => |db, _, cut| {
        match cut.of(db.get::<Item>(-7)).await {
            Ended::Done(Err(error)) if error.is_not_found() => Ok(true),
            Ended::Done(answer) => answer.map(|_| true),
            Ended::Dropped => Ok(false),
        }
    }
    "get_many" => |db, _, cut| {
        check_eq!(cut!(cut, db.get_many::<Item, _>(100..200)), some(100, 199));
        Ok(true)
    }
    "find all" => |db, _, cut| {
        let query = db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc());
        check_eq!(cut!(cut, query.all()), some(0, KEPT - 1));
        Ok(true)
    }
    "find by a pattern" => |db, _, cut| {
        let query = db.find(Item::ID.between(0, KEPT - 1) & Item::NAME.regex("^kept 1.*0$")).order_by(Item::ID.desc());
        let found = cut!(cut, query.all());
        check!(found.len() == 31 && found.first() == Some(&kept(1190)), "found {}", found.len());
        Ok(true)
    }
    "one" => |db, _, cut| {
        check_eq!(cut!(cut, db.find(Item::NAME.eq("kept 8")).one()), kept(8));
        Ok(true)
    }
    "optional" => |db, _, cut| {
        check_eq!(cut!(cut, db.find(Item::NAME.eq("kept none")).optional()), None);
        Ok(true)
    }
    "first" => |db, _, cut| {
        let query = db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.desc());
        check_eq!(cut!(cut, query.first()), Some(kept(KEPT - 1)));
        Ok(true)
    }
    "count" => |db, _, cut| {
        check_eq!(cut!(cut, db.find(Item::ID.between(0, KEPT - 1)).count()), KEPT.unsigned_abs());
        Ok(true)
    }
    "exists" => |db, _, cut| {
        check!(cut!(cut, db.find(Item::ID.eq(9)).exists()));
        Ok(true)
    }
    "select" => |db, _, cut| {
        let query = db.find(Item::ID.between(10, 11)).order_by(Item::ID.asc()).select((Item::ID, Item::NAME));
        check_eq!(cut!(cut, query.all()), [(10, "kept 10".to_owned()), (11, "kept 11".to_owned())]);
        Ok(true)
    }
    "group_by" => |db, _, cut| {
        let groups = db.find(Item::ID.between(0, 699)).group_by(Item::QUANTITY).select((Item::QUANTITY, count()));
        let mut found = cut!(cut, groups.all());
        found.sort_unstable();
        check_eq!(found, (0..7).map(|rest| (Some(rest), 100)).collect::<Vec<_>>());
        Ok(true)
    }
    "aggregate" => |db, _, cut| {
        let query = db.find(Item::ID.between(0, 699));
        check_eq!(cut!(cut, query.aggregate((count(), Item::ID.max()))), (700, Some(699)));
        Ok(true)
    }
    "fetch_page" => |db, _, cut| {
        let page = cut!(cut, db.find(Item::ID.between(0, 699)).order_by(Item::ID.asc()).limit(50).fetch_page());
        check_eq!(page.rows, some(0, 49));
        Ok(true)
    }
    "reload" => |db, _, cut| {
        let mut row = Item { name: "another".into(), ..kept(12) };
        cut!(cut, db.reload(&mut row));
        check_eq!(row, kept(12));
        Ok(true)
    }
    "explain" => |db, _, cut| {
        let explained = cut!(cut, db.find(Item::ID.eq(1)).explain());
        check_eq!(explained.model, "Item");
        Ok(true)
    }
    "raw read" needs SQL => |db, _, cut| {
        let rows = cut!(cut, db.raw("SELECT 1").tuples::<(i64,)>());
        check_eq!(rows, [(1,)]);
        Ok(true)
    }
    "native" => |db, _, cut| {
        match cut.of(db.native::<(), ()>(|()| ())).await {
            // the type is nobody's; the connection was lent all the same, where there is one to lend
            Ended::Done(Err(error)) if error.is_config() || error.is_unsupported() => Ok(true),
            Ended::Done(answer) => answer.map(|()| true),
            Ended::Dropped => Ok(false),
        }
    }
    "stream, its beginning" => |db, _, cut| {
        let rows = cut!(cut, db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc()).stream());
        check_eq!(rows.collect().await?, some(0, KEPT - 1));
        Ok(true)
    }
    "stream, all of it" => |db, _, cut| {
        let all = async {
            db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc()).stream().await?.collect().await
        };
        check_eq!(cut!(cut, all), some(0, KEPT - 1));
        Ok(true)
    }
    "stream, dropped midway" => |db, _, cut| {
        let half = async {
            let mut rows = db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc()).stream().await?;
            for id in 0..KEPT / 2 {
                check_eq!(rows.next().await?, Some(kept(id)));
            }
            Ok::<_, Error>(())
        };
        cut!(cut, half);
        Ok(true)
    }
    "stream, a next that is called again" => |db, _, cut| {
        let mut rows = db.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc()).stream().await?;
        let (mut seen, mut was_dropped) = (Vec::new(), false);
        loop {
            let next = match was_dropped {
                false => cut.of(rows.next()).await,
                true => Ended::Done(rows.next().await),
            };
            match next {
                Ended::Done(row) => match row? {
                    Some(row) => seen.push(row),
                    None => break,
                },
                Ended::Dropped => was_dropped = true,
            }
        }
        check_eq!(seen.len(), usize::try_from(KEPT).unwrap_or_default());
        check_eq!(seen, some(0, KEPT - 1));
        Ok(!was_dropped)
    }
}
