//! Limits, offsets and cursors.

use ommi::prelude::*;

use super::{User, databases, user};

#[tokio::test]
async fn a_limit_of_none_finds_nothing_first_and_nothing_existing() {
    for db in databases().await.unwrap() {
        db.add(user("a", 1)).await.unwrap();
        assert_eq!(db.find(User::all()).limit(0).first().await.unwrap(), None);
        assert!(!db.find(User::all()).limit(0).exists().await.unwrap());
        assert_eq!(db.find(User::all()).select(User::NAME).limit(0).first().await.unwrap(), None);
        assert!(db.find(User::all()).limit(5).exists().await.unwrap());
        assert!(!db.find(User::all()).offset(1).exists().await.unwrap());
    }
}

#[tokio::test]
async fn a_cursor_bounds_every_end_of_a_query() {
    for db in databases().await.unwrap() {
        db.add_all([user("a", 1), user("b", 2), user("c", 3)]).await.unwrap();
        let by_name = || db.find(User::all()).order_by(User::NAME.asc());
        let cursor = by_name().limit(2).fetch_page().await.unwrap().next().unwrap();
        let rest = || by_name().after(cursor.clone());
        assert!(rest().exists().await.unwrap());
        assert_eq!(rest().count().await.unwrap(), 1);
        assert_eq!(rest().select(User::NAME).all().await.unwrap(), ["c"]);
        let error = rest().select(User::NAME).distinct().all().await.unwrap_err();
        assert!(error.is_query(), "{error}");
        let error = db.find(User::all()).after(cursor.clone()).aggregate(count()).await.unwrap_err();
        assert!(error.is_query(), "{error}");
        assert!(rest().delete().await.unwrap_err().is_query());
    }
}

#[tokio::test]
async fn pages_in_mixed_order_with_nulls_lose_and_double_no_row() {
    for db in databases().await.unwrap() {
        let emails = [None, Some("a"), None, Some("b"), Some("c"), None];
        let users = emails.iter().zip([1, 2, 1, 2, 1, 2]);
        let users = users.map(|(email, points)| User { email: email.map(Into::into), ..user("x", points) });
        db.add_all(users).await.unwrap();
        let orders = [
            vec![User::EMAIL.asc(), User::POINTS.desc()],
            vec![User::EMAIL.desc(), User::POINTS.asc()],
            vec![User::POINTS.desc(), User::EMAIL.asc().nulls_last()],
            vec![User::POINTS.asc(), User::EMAIL.desc().nulls_first(), User::ID.desc()],
        ];
        for order in orders {
            let query = || db.find(User::all()).order_by(order.clone());
            let all = query().order_by(User::ID.asc()).all().await.unwrap();
            let (mut paged, mut cursor) = (Vec::new(), None);
            loop {
                let page = query().limit(1).after(cursor).fetch_page().await.unwrap();
                cursor = page.next();
                paged.extend(page.rows);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(paged, all);
        }
    }
}

#[tokio::test]
async fn having_is_of_groups_and_compares_what_they_determine() {
    for db in databases().await.unwrap() {
        let error = db.find(User::all()).select(User::NAME).having(count().gt(0)).all().await.unwrap_err();
        assert!(error.is_query() && error.message().contains("group_by"), "{error}");
        let groups = db.find(User::all()).group_by(User::NAME).select(User::NAME);
        let error = groups.having(User::ID.max().gt(User::ID)).all().await.unwrap_err();
        assert!(error.is_query() && error.message().contains("having"), "{error}");
    }
}
