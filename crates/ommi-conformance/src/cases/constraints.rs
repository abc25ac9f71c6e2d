//! Rules that the database keeps: unique, not null, checks, lengths and sizes.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{User, fill, user};

cases! { "constraints":
    a_unique_field_refuses_an_equal_value needs UNIQUE AUTO_INTEGERS,
    a_unique_violation_names_its_kind_its_model_and_its_fields needs UNIQUE AUTO_INTEGERS,
    a_unique_group_refuses_the_same_values_together needs UNIQUE,
    unique_values_are_compared_exactly needs UNIQUE AUTO_INTEGERS,
    rows_with_null_in_a_unique_group_never_collide needs UNIQUE,
    unique_numbers_collide_by_value needs UNIQUE,
    an_update_that_would_collide_is_refused needs UNIQUE AUTO_INTEGERS,
    a_partial_unique_group_holds_for_its_rows_alone needs PARTIAL_UNIQUE,
    a_check_refuses_a_row needs CHECKS,
    a_check_holds_for_updates_too needs CHECKS,
    a_check_that_is_unknown_passes needs CHECKS,
    a_check_over_several_fields_sees_them_together needs CHECKS,
    a_text_longer_than_its_field_is_refused,
    the_length_of_a_text_counts_characters,
    a_decimal_that_does_not_fit_its_size_is_refused,
    an_update_to_what_does_not_fit_is_refused,
    an_expression_that_gives_null_for_a_required_field_is_refused,
    a_refused_row_of_a_batch_names_the_same_fields needs UNIQUE AUTO_INTEGERS,
    a_swap_of_unique_values_is_done_with_a_value_in_between needs UNIQUE AUTO_INTEGERS,
    a_unique_value_is_free_again_after_its_row_is_gone needs UNIQUE AUTO_INTEGERS,
}

async fn a_unique_field_refuses_an_equal_value(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    check!(refused(db.add(user("a")).await)?.is_unique_violation());
    db.add(user("b")).await?;
    check_eq!(db.find(User::all()).count().await?, 2);
    Ok(())
}

async fn a_unique_violation_names_its_kind_its_model_and_its_fields(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    let error = refused(db.add(user("a")).await)?;
    check_eq!(error.kind(), ommi::ErrorKind::Constraint);
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Unique));
    check_eq!(error.model(), Some("User"));
    check_eq!(error.fields(), ["email"]);
    check_eq!(error.operation(), Some("add"));
    check!(!error.is_retryable());
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(unique(team, number, name = "shirts"))]
struct Player {
    #[ommi(key)]
    id: i64,
    team: String,
    number: Option<i32>,
    #[ommi(unique)]
    rating: Option<Decimal>,
    #[ommi(unique)]
    license: Option<String>,
}

fn player(id: i64, team: &str, number: Option<i32>) -> Player {
    Player { id, team: team.into(), number, ..Player::default() }
}

async fn a_unique_group_refuses_the_same_values_together(db: Db) -> Verdict {
    fill(&db, vec![player(1, "a", Some(1)), player(2, "a", Some(2)), player(3, "b", Some(1))]).await?;
    let error = refused(db.add(player(4, "a", Some(2))).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["team", "number"]);
    db.add(player(4, "b", Some(2))).await?;
    Ok(())
}

async fn unique_values_are_compared_exactly(db: Db) -> Verdict {
    db.create::<User>().await?;
    for email in ["a", "A", "a ", " a", "ä", "a\u{308}", "", " "] {
        db.add(user(email)).await?;
    }
    check_eq!(db.find(User::all()).count().await?, 8);
    Ok(())
}

async fn rows_with_null_in_a_unique_group_never_collide(db: Db) -> Verdict {
    fill(&db, vec![player(1, "a", None), player(2, "a", None)]).await?;
    db.add_all([player(3, "a", None), player(4, "a", Some(1))]).await?;
    check!(refused(db.add(player(5, "a", Some(1))).await)?.is_unique_violation());
    check_eq!(db.find(Player::RATING.is_null()).count().await?, 4);
    Ok(())
}

async fn unique_numbers_collide_by_value(db: Db) -> Verdict {
    let of = |id, rating| Player { rating: Some(rating), ..player(id, "a", None) };
    fill(&db, vec![of(1, dec!(1.5))]).await?;
    let error = refused(db.add(of(2, dec!(1.500))).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["rating"]);
    db.add(of(2, dec!(1.51))).await?;
    Ok(())
}

async fn an_update_that_would_collide_is_refused(db: Db) -> Verdict {
    fill(&db, vec![user("a"), user("b")]).await?;
    let error = refused(db.find(User::EMAIL.eq("b")).update(User::EMAIL.set("a")).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["email"]);
    check_eq!(error.operation(), Some("update"));
    check!(refused(db.update(&User { id: 2, ..user("a") }, User::EMAIL).await)?.is_unique_violation());
    check_eq!(db.find(User::EMAIL.eq("b")).count().await?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(unique(name, where = Self::ACTIVE.eq(true)))]
struct Account {
    #[ommi(key)]
    id: i64,
    name: String,
    active: bool,
}

async fn a_partial_unique_group_holds_for_its_rows_alone(db: Db) -> Verdict {
    let of = |id, name: &str, active| Account { id, name: name.into(), active };
    fill(&db, vec![of(1, "a", true), of(2, "a", false), of(3, "a", false)]).await?;
    let error = refused(db.add(of(4, "a", true)).await)?;
    check!(error.is_unique_violation(), "{error}");
    check!(refused(db.find(Account::ID.eq(2)).update(Account::ACTIVE.set(true)).await)?.is_unique_violation());
    db.find(Account::ID.eq(1)).update(Account::ACTIVE.set(false)).await?;
    check_eq!(db.find(Account::ID.eq(2)).update(Account::ACTIVE.set(true)).await?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(check(ordered = Self::LOW.le(Self::HIGH)))]
struct Range {
    #[ommi(key)]
    id: i64,
    #[ommi(check = Self::LOW.ge(0))]
    low: i32,
    high: Option<i32>,
    #[ommi(check = Self::UNIT.in_(["m", "it's", "%"]))]
    unit: String,
}

fn range(id: i64, low: i32, high: Option<i32>) -> Range {
    Range { id, low, high, unit: "m".into() }
}

async fn a_check_refuses_a_row(db: Db) -> Verdict {
    fill(&db, vec![range(1, 0, Some(0))]).await?;
    let error = refused(db.add(range(2, -1, Some(5))).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check));
    check_eq!(error.model(), Some("Range"));
    check_eq!(error.fields(), ["low"]);
    let error = refused(db.add(Range { unit: "M".into(), ..range(2, 0, None) }).await)?;
    check_eq!(error.fields(), ["unit"]);
    db.add(Range { unit: "it's".into(), ..range(2, 0, None) }).await?;
    Ok(())
}

async fn a_check_holds_for_updates_too(db: Db) -> Verdict {
    fill(&db, vec![range(1, 1, Some(2)), range(2, 5, Some(9))]).await?;
    let error = refused(db.find(Range::all()).update(Range::LOW.set(Range::LOW - 2)).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check));
    let mut row = Range { high: Some(0), ..range(1, 1, None) };
    check_eq!(refused(db.save(&mut row).await)?.constraint_kind(), Some(ommi::ConstraintKind::Check));
    check_eq!(db.get::<Range>(1).await?, range(1, 1, Some(2)));
    Ok(())
}

async fn a_check_that_is_unknown_passes(db: Db) -> Verdict {
    fill(&db, vec![range(1, 5, None)]).await?;
    check_eq!(db.get::<Range>(1).await?.high, None);
    Ok(())
}

async fn a_check_over_several_fields_sees_them_together(db: Db) -> Verdict {
    fill(&db, vec![range(1, 1, Some(2))]).await?;
    let error = refused(db.add(range(2, 3, Some(2))).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check));
    check_eq!(error.fields(), ["low", "high"]);
    db.find(Range::ID.eq(1)).update((Range::LOW.set(10), Range::HIGH.set(20))).await?;
    check_eq!(db.get::<Range>(1).await?, range(1, 10, Some(20)));
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Sized {
    #[ommi(key)]
    id: i64,
    #[ommi(max_length = 3)]
    code: String,
    #[ommi(decimal(4, 1))]
    amount: Decimal,
    quotient: i32,
}

async fn a_text_longer_than_its_field_is_refused(db: Db) -> Verdict {
    fill(&db, vec![Sized { id: 1, code: "abc".into(), ..Sized::default() }]).await?;
    let error = refused(db.add(Sized { id: 2, code: "abcd".into(), ..Sized::default() }).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check));
    check_eq!(error.fields(), ["code"]);
    Ok(())
}

async fn the_length_of_a_text_counts_characters(db: Db) -> Verdict {
    fill(&db, vec![Sized { id: 1, code: "\u{1F600}äß".into(), ..Sized::default() }]).await?;
    check!(
        refused(db.add(Sized { id: 2, code: "e\u{301}e\u{301}".into(), ..Sized::default() }).await)?.is_constraint()
    );
    check_eq!(db.find(Sized::CODE.ends_with("ß")).count().await?, 1);
    Ok(())
}

async fn a_decimal_that_does_not_fit_its_size_is_refused(db: Db) -> Verdict {
    fill(&db, vec![Sized { id: 1, amount: dec!(999.9), ..Sized::default() }]).await?;
    for amount in [dec!(1000), dec!(0.01), dec!(-1000.0)] {
        let error = refused(db.add(Sized { id: 2, amount, ..Sized::default() }).await)?;
        check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::Check), "the rule that {amount} breaks");
        check_eq!(error.fields(), ["amount"]);
    }
    db.add(Sized { id: 2, amount: dec!(1.5000), ..Sized::default() }).await?;
    Ok(())
}

async fn an_update_to_what_does_not_fit_is_refused(db: Db) -> Verdict {
    let row = Sized { id: 1, code: "abc".into(), amount: dec!(999.9), quotient: 1 };
    fill(&db, vec![row.clone()]).await?;
    check!(refused(db.find(Sized::all()).update(Sized::CODE.set("long")).await)?.is_constraint());
    check!(refused(db.find(Sized::all()).update(Sized::AMOUNT.set(dec!(0.05))).await)?.is_constraint());
    check!(refused(db.find(Sized::all()).update(Sized::AMOUNT.set(Sized::AMOUNT + 1)).await)?.is_constraint());
    check!(refused(db.update(&Sized { code: "long".into(), ..row.clone() }, Sized::CODE).await)?.is_constraint());
    check_eq!(db.get::<Sized>(1).await?, row);
    Ok(())
}

async fn an_expression_that_gives_null_for_a_required_field_is_refused(db: Db) -> Verdict {
    let row = Sized { id: 1, code: "a".into(), amount: dec!(1), quotient: 6 };
    fill(&db, vec![row.clone()]).await?;
    check_eq!(db.find(Sized::all()).update(Sized::QUOTIENT.set(Sized::QUOTIENT / 2)).await?, 1);
    let error = refused(db.find(Sized::all()).update(Sized::QUOTIENT.set(Sized::QUOTIENT / 0)).await)?;
    check_eq!(error.constraint_kind(), Some(ommi::ConstraintKind::NotNull));
    check_eq!(error.fields(), ["quotient"]);
    check_eq!(db.get::<Sized>(1).await?, Sized { quotient: 3, ..row });
    Ok(())
}

async fn a_refused_row_of_a_batch_names_the_same_fields(db: Db) -> Verdict {
    fill(&db, vec![user("there")]).await?;
    let rows: Vec<User> = (0..500).map(|n| user(&n.to_string())).chain([user("there")]).collect();
    let error = refused(db.add_all(rows).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!((error.model(), error.fields()), (Some("User"), &["email".to_owned()][..]));
    Ok(())
}

async fn a_swap_of_unique_values_is_done_with_a_value_in_between(db: Db) -> Verdict {
    fill(&db, vec![user("a"), user("b")]).await?;
    db.find(User::ID.eq(1)).update(User::EMAIL.set("")).await?;
    db.find(User::ID.eq(2)).update(User::EMAIL.set("a")).await?;
    db.find(User::ID.eq(1)).update(User::EMAIL.set("b")).await?;
    check_eq!(db.find(User::EMAIL.eq("a")).one().await?.id, 2);
    Ok(())
}

async fn a_unique_value_is_free_again_after_its_row_is_gone(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    db.find(User::EMAIL.eq("a")).delete().await?;
    db.add(user("a")).await?;
    db.find(User::all()).update(User::EMAIL.set("b")).await?;
    db.add(user("a")).await?;
    check_eq!(db.find(User::all()).count().await?, 2);
    Ok(())
}
