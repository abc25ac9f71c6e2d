//! Dates, times, instants and spans of time.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::fill;

cases! { "dates":
    a_date_has_a_year_a_month_and_a_day,
    the_weekday_counts_from_monday_1_to_sunday_7,
    a_time_has_an_hour_a_minute_and_a_second,
    a_date_time_has_all_parts,
    the_parts_of_an_instant_are_those_of_utc,
    parts_are_right_before_1970,
    parts_are_right_at_the_ends_of_the_calendar,
    a_part_of_null_is_null,
    finer_digits_are_cut_and_the_cut_value_is_given_back,
    finer_digits_of_arguments_are_cut,
    finer_digits_are_cut_towards_the_past_before_1970,
    offsets_become_instants,
    dates_compare_by_the_calendar,
    date_times_compare_to_the_microsecond,
    instants_compare_whatever_their_offsets,
    durations_compare_by_length,
    years_outside_1_to_9999_are_refused,
    rows_are_grouped_by_a_date_part,
    date_fields_compare_with_each_other,
    dates_stand_in_long_lists,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Event {
    #[ommi(key)]
    id: i64,
    day: Date,
    other: Option<Date>,
    time: Time,
    moment: DateTime,
    instant: Timestamp,
    span: Duration,
    ended: Option<Timestamp>,
}

impl Default for Event {
    fn default() -> Self {
        Event {
            id: 0,
            day: Date::constant(2000, 1, 1),
            other: None,
            time: Time::midnight(),
            moment: DateTime::constant(2000, 1, 1, 0, 0, 0, 0),
            instant: Timestamp::UNIX_EPOCH,
            span: Duration::ZERO,
            ended: None,
        }
    }
}

fn instant(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| Error::query(format!("{text} is no instant")))
}

async fn events(db: &Db, rows: Vec<Event>) -> Result<Vec<Event>> {
    let rows = (1..).zip(rows).map(|(id, row)| Event { id, ..row }).collect();
    fill(db, rows).await
}

async fn found(db: &Db, filter: ommi::Filter<Event>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Event::ID.asc()).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn day(year: i16, month: i8, day: i8) -> Event {
    Event { day: Date::constant(year, month, day), ..Event::default() }
}

async fn a_date_has_a_year_a_month_and_a_day(db: Db) -> Verdict {
    events(&db, vec![day(2013, 1, 31), day(2013, 12, 1), day(2014, 1, 1)]).await?;
    check_eq!(found(&db, Event::DAY.year().eq(2013)).await?, [1, 2]);
    check_eq!(found(&db, Event::DAY.month().eq(1)).await?, [1, 3]);
    check_eq!(found(&db, Event::DAY.day().lt(5)).await?, [2, 3]);
    let parts =
        db.find(Event::ID.eq(1)).select((Event::DAY.year(), Event::DAY.month(), Event::DAY.day())).one().await?;
    check_eq!(parts, (2013, 1, 31));
    Ok(())
}

async fn the_weekday_counts_from_monday_1_to_sunday_7(db: Db) -> Verdict {
    events(&db, (1..=8).map(|of| day(2024, 1, of)).collect()).await?;
    let days = db.find(Event::all()).order_by(Event::ID.asc()).select(Event::DAY.weekday()).all().await?;
    check_eq!(days, [1, 2, 3, 4, 5, 6, 7, 1]);
    Ok(())
}

async fn a_time_has_an_hour_a_minute_and_a_second(db: Db) -> Verdict {
    let of = |time| Event { time, ..Event::default() };
    events(
        &db,
        vec![
            of(Time::constant(23, 59, 58, 999_999_000)),
            of(Time::constant(0, 0, 0, 0)),
            of(Time::constant(9, 5, 3, 0)),
        ],
    )
    .await?;
    let parts = (Event::TIME.hour(), Event::TIME.minute(), Event::TIME.second());
    let rows = db.find(Event::all()).order_by(Event::ID.asc()).select(parts).all().await?;
    check_eq!(rows, [(23, 59, 58), (0, 0, 0), (9, 5, 3)]);
    Ok(())
}

async fn a_date_time_has_all_parts(db: Db) -> Verdict {
    events(&db, vec![Event { moment: DateTime::constant(2024, 2, 29, 13, 14, 15, 999_999_000), ..Event::default() }])
        .await?;
    let of = Event::MOMENT;
    let parts = (of.year(), of.month(), of.day(), of.weekday(), of.hour(), of.minute(), of.second());
    check_eq!(db.find(Event::all()).select(parts).one().await?, (2024, 2, 29, 4, 13, 14, 15));
    Ok(())
}

async fn the_parts_of_an_instant_are_those_of_utc(db: Db) -> Verdict {
    events(&db, vec![Event { instant: instant("2023-12-31T23:30:00-01:00")?, ..Event::default() }]).await?;
    let of = Event::INSTANT;
    let parts = (of.year(), of.month(), of.day(), of.hour(), of.minute());
    check_eq!(db.find(Event::all()).select(parts).one().await?, (2024, 1, 1, 0, 30));
    Ok(())
}

async fn parts_are_right_before_1970(db: Db) -> Verdict {
    let row = Event {
        instant: instant("1969-12-31T23:59:58.5Z")?,
        moment: DateTime::constant(1899, 12, 31, 1, 2, 3, 1_000),
        ..day(1600, 2, 29)
    };
    events(&db, vec![row]).await?;
    let parts = (
        Event::INSTANT.year(),
        Event::INSTANT.second(),
        Event::MOMENT.year(),
        Event::MOMENT.second(),
        Event::DAY.day(),
        Event::DAY.weekday(),
    );
    check_eq!(db.find(Event::all()).select(parts).one().await?, (1969, 58, 1899, 3, 29, 2));
    Ok(())
}

async fn parts_are_right_at_the_ends_of_the_calendar(db: Db) -> Verdict {
    events(&db, vec![day(1, 1, 1), day(9999, 12, 31)]).await?;
    let of = Event::DAY;
    let rows = db
        .find(Event::all())
        .order_by(Event::ID.asc())
        .select((of.year(), of.month(), of.day(), of.weekday()))
        .all()
        .await?;
    check_eq!(rows, [(1, 1, 1, 1), (9999, 12, 31, 5)]);
    Ok(())
}

async fn a_part_of_null_is_null(db: Db) -> Verdict {
    events(&db, vec![day(2000, 1, 1)]).await?;
    check_eq!(db.find(Event::all()).select((Event::OTHER.year(), Event::ENDED.hour())).one().await?, (None, None));
    check_eq!(found(&db, Event::OTHER.year().ne(2000)).await?, Vec::<i64>::new());
    check_eq!(found(&db, Event::OTHER.year().is_null()).await?, [1]);
    Ok(())
}

async fn finer_digits_are_cut_and_the_cut_value_is_given_back(db: Db) -> Verdict {
    let row = Event {
        time: Time::constant(1, 2, 3, 456_789_999),
        moment: DateTime::constant(2020, 1, 2, 3, 4, 5, 999_999_999),
        instant: instant("2020-01-02T03:04:05.999999999Z")?,
        span: Duration::new(1, 1_999),
        ..day(2020, 1, 1)
    };
    let cut = Event {
        id: 1,
        time: Time::constant(1, 2, 3, 456_789_000),
        moment: DateTime::constant(2020, 1, 2, 3, 4, 5, 999_999_000),
        instant: instant("2020-01-02T03:04:05.999999Z")?,
        span: Duration::new(1, 1_000),
        ..row.clone()
    };
    check_eq!(events(&db, vec![row.clone()]).await?, [cut.clone()]);
    check_eq!(db.get::<Event>(1).await?, cut);
    let mut saved = Event { id: 2, ..row };
    db.save(&mut saved).await?;
    check_eq!(saved, Event { id: 2, ..cut.clone() });
    check_eq!(db.get::<Event>(2).await?, saved);
    Ok(())
}

async fn finer_digits_of_arguments_are_cut(db: Db) -> Verdict {
    events(&db, vec![Event { time: Time::constant(1, 2, 3, 456_789_000), ..Event::default() }]).await?;
    let finer = Time::constant(1, 2, 3, 456_789_999);
    check_eq!(found(&db, Event::TIME.eq(finer)).await?, [1]);
    check_eq!(found(&db, Event::TIME.in_([finer])).await?, [1]);
    check_eq!(found(&db, Event::TIME.lt(finer)).await?, Vec::<i64>::new());
    db.find(Event::all()).update(Event::MOMENT.set(DateTime::constant(2020, 1, 1, 0, 0, 0, 1_999))).await?;
    check_eq!(db.get::<Event>(1).await?.moment, DateTime::constant(2020, 1, 1, 0, 0, 0, 1_000));
    Ok(())
}

async fn finer_digits_are_cut_towards_the_past_before_1970(db: Db) -> Verdict {
    let row = Event {
        instant: instant("1969-12-31T23:59:59.9999991Z")?,
        moment: DateTime::constant(1, 1, 1, 0, 0, 0, 999),
        ..Event::default()
    };
    let added = events(&db, vec![row]).await?;
    let found = db.find(Event::all()).all().await?;
    check_eq!(found, added);
    check_eq!(found.first().map(|row| row.instant), Some(instant("1969-12-31T23:59:59.999999Z")?));
    check_eq!(found.first().map(|row| row.moment), Some(DateTime::constant(1, 1, 1, 0, 0, 0, 0)));
    Ok(())
}

async fn offsets_become_instants(db: Db) -> Verdict {
    let of = |text: &str| Ok::<_, Error>(Event { instant: instant(text)?, ..Event::default() });
    events(&db, vec![of("2020-06-01T12:00:00+02:00")?, of("2020-06-01T10:00:00Z")?, of("2020-06-01T09:59:59-00:00")?])
        .await?;
    check_eq!(found(&db, Event::INSTANT.eq(instant("2020-06-01T05:00:00-05:00")?)).await?, [1, 2]);
    check_eq!(db.get::<Event>(1).await?.instant, instant("2020-06-01T10:00:00Z")?);
    Ok(())
}

async fn dates_compare_by_the_calendar(db: Db) -> Verdict {
    events(&db, vec![day(999, 12, 31), day(1000, 1, 1), day(2024, 2, 29), day(2024, 3, 1), day(9999, 1, 1)]).await?;
    check_eq!(found(&db, Event::DAY.lt(Date::constant(1000, 1, 1))).await?, [1]);
    check_eq!(found(&db, Event::DAY.between(Date::constant(2024, 2, 29), Date::constant(2024, 3, 1))).await?, [3, 4]);
    check_eq!(found(&db, Event::DAY.ge(Date::constant(2024, 2, 1))).await?, [3, 4, 5]);
    Ok(())
}

async fn date_times_compare_to_the_microsecond(db: Db) -> Verdict {
    let of = |micros: i32| Event { moment: DateTime::constant(2024, 1, 1, 0, 0, 0, micros * 1000), ..Event::default() };
    events(&db, vec![of(0), of(1), of(10), of(100_000), of(999_999)]).await?;
    let at = |micros: i32| DateTime::constant(2024, 1, 1, 0, 0, 0, micros * 1000);
    check_eq!(found(&db, Event::MOMENT.gt(at(1))).await?, [3, 4, 5]);
    check_eq!(found(&db, Event::MOMENT.le(at(10))).await?, [1, 2, 3]);
    check_eq!(found(&db, Event::MOMENT.lt(DateTime::constant(2024, 1, 1, 0, 0, 1, 0))).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn instants_compare_whatever_their_offsets(db: Db) -> Verdict {
    let of = |text: &str| Ok::<_, Error>(Event { instant: instant(text)?, ..Event::default() });
    events(&db, vec![of("2020-06-01T23:00:00-05:00")?, of("2020-06-02T01:00:00+02:00")?, of("1969-12-31T23:59:59Z")?])
        .await?;
    check_eq!(found(&db, Event::INSTANT.gt(instant("2020-06-02T00:00:00Z")?)).await?, [1]);
    check_eq!(found(&db, Event::INSTANT.lt(instant("1970-01-01T00:00:00Z")?)).await?, [3]);
    Ok(())
}

async fn durations_compare_by_length(db: Db) -> Verdict {
    let of = |span| Event { span, ..Event::default() };
    events(
        &db,
        vec![
            of(Duration::from_secs(-60)),
            of(Duration::from_micros(-1)),
            of(Duration::ZERO),
            of(Duration::from_hours(30)),
        ],
    )
    .await?;
    check_eq!(found(&db, Event::SPAN.lt(Duration::ZERO)).await?, [1, 2]);
    check_eq!(found(&db, Event::SPAN.gt(Duration::from_hours(24))).await?, [4]);
    let (least, greatest) = db.find(Event::all()).aggregate((Event::SPAN.min(), Event::SPAN.max())).await?;
    check_eq!((least, greatest), (Some(Duration::from_secs(-60)), Some(Duration::from_hours(30))));
    Ok(())
}

async fn years_outside_1_to_9999_are_refused(db: Db) -> Verdict {
    events(&db, vec![day(2000, 1, 1)]).await?;
    for year in [0, -1, -9999] {
        let error = refused(db.add(Event { id: 2, ..day(year, 1, 1) }).await)?;
        check!(error.is_query(), "{error}");
        check!(refused(db.find(Event::DAY.gt(Date::constant(year, 6, 1))).all().await)?.is_query());
        let moment = DateTime::constant(year, 1, 1, 0, 0, 0, 0);
        check!(refused(db.find(Event::all()).update(Event::MOMENT.set(moment)).await)?.is_query());
    }
    check!(refused(db.find(Event::INSTANT.eq(instant("0000-12-31T23:59:59Z")?)).all().await)?.is_query());
    check_eq!(db.find(Event::all()).count().await?, 1);
    Ok(())
}

async fn rows_are_grouped_by_a_date_part(db: Db) -> Verdict {
    events(&db, vec![day(2013, 1, 5), day(2014, 7, 5), day(2014, 1, 31), day(2013, 1, 1)]).await?;
    let groups = db
        .find(Event::all())
        .group_by(Event::DAY.year())
        .select((Event::DAY.year(), count(), Event::DAY.max()))
        .order_by(Event::DAY.year().desc())
        .all()
        .await?;
    check_eq!(groups, [(2014, 2, Date::constant(2014, 7, 5)), (2013, 2, Date::constant(2013, 1, 5))]);
    Ok(())
}

async fn date_fields_compare_with_each_other(db: Db) -> Verdict {
    let of = |other: Option<Date>| Event { other, ..day(2020, 5, 5) };
    events(&db, vec![of(Some(Date::constant(2020, 5, 5))), of(Some(Date::constant(2020, 5, 6))), of(None)]).await?;
    check_eq!(found(&db, Event::DAY.eq(Event::OTHER)).await?, [1]);
    check_eq!(found(&db, Event::OTHER.gt(Event::DAY)).await?, [2]);
    check_eq!(found(&db, Event::DAY.year().eq(Event::OTHER.year())).await?, [1, 2]);
    Ok(())
}

async fn dates_stand_in_long_lists(db: Db) -> Verdict {
    events(&db, (1..=12).map(|month| Event { instant: Timestamp::UNIX_EPOCH, ..day(2020, month, 1) }).collect())
        .await?;
    let list: Vec<Date> = (1..=28).map(|of| Date::constant(2020, 2, of)).chain([Date::constant(2020, 12, 1)]).collect();
    check_eq!(found(&db, Event::DAY.in_(list.clone())).await?, [2, 12]);
    check_eq!(found(&db, Event::DAY.not_in(list)).await?.len(), 10);
    let instants: Vec<Timestamp> = (0..30).map(|n| Timestamp::UNIX_EPOCH + Duration::from_micros(n)).collect();
    check_eq!(found(&db, Event::INSTANT.in_(instants)).await?.len(), 12);
    Ok(())
}
