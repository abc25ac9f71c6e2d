//! Values: what goes in comes out equal.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::fill;

cases! { "values":
    booleans_come_back,
    i8_comes_back_at_the_ends_of_its_range,
    i16_comes_back_at_the_ends_of_its_range,
    i32_comes_back_at_the_ends_of_its_range,
    i64_comes_back_at_the_ends_of_its_range,
    u8_comes_back_at_the_ends_of_its_range,
    u16_comes_back_at_the_ends_of_its_range,
    u32_comes_back_at_the_ends_of_its_range,
    u64_comes_back_at_the_ends_of_its_range,
    f32_comes_back_with_infinities_and_the_smallest_numbers,
    f64_comes_back_with_infinities_and_the_smallest_numbers,
    decimals_come_back_with_28_digits,
    decimals_with_a_size_keep_their_scale,
    text_comes_back_to_the_last_character,
    bytes_come_back_with_every_value,
    uuids_come_back,
    dates_come_back_at_the_ends_of_the_calendar,
    times_come_back_in_microseconds,
    date_times_come_back_at_the_ends_of_the_calendar,
    instants_come_back_at_the_ends_of_the_calendar,
    durations_come_back_below_zero_and_at_their_ends,
    json_comes_back,
    text_enums_come_back,
    integer_enums_come_back,
    newtypes_come_back,
    negative_zero_is_zero,
    nan_is_refused_in_writes,
    nan_is_refused_in_arguments,
    a_wide_model_comes_back_whole,
    a_skipped_field_is_not_stored,
    a_model_of_nothing_but_its_key_comes_back,
}

/// Writes each value, and expects to read it, find it by equality and by `in`, and tell it from
/// null; the values have to be different.
macro_rules! come_back {
    ($db:expr, $values:ident: $type:ty) => {{
        #[derive(Model, Clone, Debug, PartialEq)]
        struct Holder {
            #[ommi(key)]
            id: i64,
            value: $type,
            optional: Option<$type>,
        }

        let db: &Db = &$db;
        let values: Vec<$type> = $values;
        let full = |(id, value): (i64, &$type)| Holder { id, value: value.clone(), optional: Some(value.clone()) };
        let mut rows: Vec<Holder> = (1..).zip(&values).map(full).collect();
        let first = crate::check::present(values.first())?.clone();
        rows.push(Holder { id: 0, value: first, optional: None });
        let added = fill(db, rows.clone()).await?;
        check_eq!(added, rows, "what `add_all` gives back");
        let mut found = db.find(Holder::ID.gt(0)).order_by(Holder::ID.asc()).all().await?;
        found.extend(db.find(Holder::ID.eq(0)).all().await?);
        check_eq!(found, rows);
        check_eq!(db.find(Holder::OPTIONAL.is_null()).select(Holder::ID).all().await?, [0]);
        for (id, value) in (1_i64..).zip(&values) {
            let equal = db.find(Holder::OPTIONAL.eq(value.clone())).select(Holder::ID).all().await?;
            check_eq!(equal, [id], "the key of what equals {value:?}");
            let among = db.find(Holder::OPTIONAL.in_([value.clone()])).select(Holder::ID).all().await?;
            check_eq!(among, [id], "the key of what is in [{value:?}]");
            let others = db.find(Holder::OPTIONAL.ne(value.clone())).count().await?;
            check_eq!(others, values.len() as u64 - 1, "how many differ from {value:?}");
            let one = db.find(Holder::ID.eq(id)).select(Holder::VALUE).one().await?;
            check_eq!(one, *value);
        }
        let all = db.find(Holder::OPTIONAL.in_(values.clone())).count().await?;
        check_eq!(all, values.len() as u64, "how many are among all");
        if let (Some(first), Some(last)) = (values.first(), values.last()) {
            check_eq!(db.find(Holder::ID.eq(1)).update(Holder::VALUE.set(last.clone())).await?, 1);
            check_eq!(db.get::<Holder>(1).await?.value, *last, "the value after an update");
            check_eq!(db.get::<Holder>(1).await?.optional.as_ref(), Some(first));
        }
    }};
}

async fn booleans_come_back(db: Db) -> Verdict {
    let values = vec![true, false];
    come_back!(db, values: bool);
    Ok(())
}

macro_rules! integers {
    ($($case:ident: $type:ident $more:expr;)*) => { $(
        async fn $case(db: Db) -> Verdict {
            let mut values = vec![$type::MIN, $type::MIN + 2, $type::MAX, $type::MAX - 1, 1, 10, 9];
            values.extend($more);
            come_back!(db, values: $type);
            Ok(())
        }
    )* };
}

integers! {
    i8_comes_back_at_the_ends_of_its_range: i8 [0, -1, 100];
    i16_comes_back_at_the_ends_of_its_range: i16 [0, -1, 255, 256];
    i32_comes_back_at_the_ends_of_its_range: i32 [0, -1, 65_535, 65_536];
    i64_comes_back_at_the_ends_of_its_range: i64 [0, -1, 1 << 53, (1 << 53) + 1, i64::from(i32::MAX) + 1];
    u8_comes_back_at_the_ends_of_its_range: u8 [127, 128];
    u16_comes_back_at_the_ends_of_its_range: u16 [32_767, 32_768];
    u32_comes_back_at_the_ends_of_its_range: u32 [1 << 31, (1 << 31) - 1];
    u64_comes_back_at_the_ends_of_its_range: u64 [1 << 63, (1 << 63) - 1, (1 << 63) + 1, (1 << 53) + 1];
}

async fn f32_comes_back_with_infinities_and_the_smallest_numbers(db: Db) -> Verdict {
    let values = vec![
        0.0,
        1.0,
        -1.0,
        0.1,
        1.0 / 3.0,
        f32::MIN,
        f32::MAX,
        f32::MIN_POSITIVE,
        1e-45,
        f32::EPSILON,
        f32::INFINITY,
        f32::NEG_INFINITY,
        16_777_217.0,
    ];
    come_back!(db, values: f32);
    Ok(())
}

async fn f64_comes_back_with_infinities_and_the_smallest_numbers(db: Db) -> Verdict {
    let values = vec![
        0.0,
        1.0,
        -1.0,
        0.1,
        0.1 + 0.2,
        1.0 / 3.0,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        f64::EPSILON,
        f64::INFINITY,
        f64::NEG_INFINITY,
        9_007_199_254_740_993.0,
        1e15,
        1e16,
        123_456_789.123_456_79,
    ];
    come_back!(db, values: f64);
    Ok(())
}

async fn decimals_come_back_with_28_digits(db: Db) -> Verdict {
    let values = vec![
        dec!(0),
        dec!(1),
        dec!(-1),
        dec!(0.1),
        dec!(10),
        dec!(9999999999999999999999999999),
        dec!(-9999999999999999999999999999),
        dec!(0.9999999999999999999999999999),
        dec!(1e-28),
        dec!(12345678901234.56789012345678),
    ];
    come_back!(db, values: Decimal);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Sized {
    #[ommi(key)]
    id: i64,
    #[ommi(decimal(10, 2))]
    money: Decimal,
    #[ommi(decimal(28, 28))]
    fine: Option<Decimal>,
}

async fn decimals_with_a_size_keep_their_scale(db: Db) -> Verdict {
    let rows = vec![
        Sized { id: 1, money: dec!(1.5), fine: Some(dec!(0.5)) },
        Sized { id: 2, money: dec!(99999999.99), fine: None },
        Sized { id: 3, money: dec!(0), fine: Some(dec!(0)) },
    ];
    fill(&db, rows).await?;
    let found = db.find(Sized::all()).order_by(Sized::ID.asc()).all().await?;
    let shown: Vec<String> = found.iter().map(|row| row.money.to_string()).collect();
    check_eq!(shown, ["1.50", "99999999.99", "0.00"]);
    let fine: Vec<Option<u32>> = found.iter().map(|row| row.fine.map(|fine| fine.scale())).collect();
    check_eq!(fine, [Some(28), None, Some(28)]);
    check_eq!(db.find(Sized::MONEY.eq(dec!(1.500))).count().await?, 1);
    Ok(())
}

async fn text_comes_back_to_the_last_character(db: Db) -> Verdict {
    let values: Vec<String> = [
        "",
        " ",
        "  ",
        "a",
        "A",
        "a ",
        "\n",
        "\r\n",
        "\t",
        "\u{1}",
        "\u{7f}",
        "'",
        "\"",
        "`",
        "\\",
        "%",
        "_",
        "NULL",
        "null",
        "0",
        "é",
        "e\u{301}",
        "ß",
        "ẞ",
        "İ",
        "\u{1F600}",
        "\u{10FFFF}",
        "\u{FFFF}",
        "\u{FEFF}",
        "\u{202E}abc",
        "日本語",
        "2020-01-01",
        "1.0",
        "{\"$gt\": \"\"}",
        "a\u{0301}\u{0302}",
    ]
    .map(String::from)
    .into();
    come_back!(db, values: String);
    Ok(())
}

async fn bytes_come_back_with_every_value(db: Db) -> Verdict {
    let values: Vec<Vec<u8>> =
        vec![(0..=255).collect(), vec![], vec![0], vec![0, 0], vec![255], b"text".to_vec(), vec![0xC3, 0x28]];
    come_back!(db, values: Vec<u8>);
    Ok(())
}

async fn uuids_come_back(db: Db) -> Verdict {
    let values =
        vec![Uuid::nil(), Uuid::max(), Uuid::from_u128(1), Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef)];
    come_back!(db, values: Uuid);
    Ok(())
}

async fn dates_come_back_at_the_ends_of_the_calendar(db: Db) -> Verdict {
    let values = [
        (1, 1, 1),
        (9999, 12, 31),
        (1970, 1, 1),
        (1969, 12, 31),
        (2024, 2, 29),
        (1582, 10, 10),
        (1900, 2, 28),
        (999, 1, 1),
    ]
    .map(|(year, month, day)| Date::constant(year, month, day))
    .into();
    come_back!(db, values: Date);
    Ok(())
}

async fn times_come_back_in_microseconds(db: Db) -> Verdict {
    let values = vec![
        Time::constant(0, 0, 0, 0),
        Time::constant(23, 59, 59, 999_999_000),
        Time::constant(12, 0, 0, 0),
        Time::constant(0, 0, 0, 1_000),
        Time::constant(1, 2, 3, 400_000_000),
    ];
    come_back!(db, values: Time);
    Ok(())
}

async fn date_times_come_back_at_the_ends_of_the_calendar(db: Db) -> Verdict {
    let values = vec![
        DateTime::constant(1, 1, 1, 0, 0, 0, 0),
        DateTime::constant(9999, 12, 31, 23, 59, 59, 999_999_000),
        DateTime::constant(1970, 1, 1, 0, 0, 0, 0),
        DateTime::constant(1969, 12, 31, 23, 59, 59, 999_999_000),
        DateTime::constant(2024, 2, 29, 12, 30, 15, 1_000),
        DateTime::constant(2024, 2, 29, 12, 30, 15, 10_000_000),
        DateTime::constant(2024, 2, 29, 12, 30, 15, 0),
    ];
    come_back!(db, values: DateTime);
    Ok(())
}

async fn instants_come_back_at_the_ends_of_the_calendar(db: Db) -> Verdict {
    let at = |text: &str| text.parse::<Timestamp>().map_err(|error| Error::query(error.to_string()));
    let values = vec![
        at("0001-01-01T00:00:00Z")?,
        at("9999-12-30T22:00:00.999999Z")?,
        at("1970-01-01T00:00:00Z")?,
        at("1969-12-31T23:59:59.999999Z")?,
        at("2024-02-29T23:59:59.5Z")?,
        at("2024-02-29T23:59:59.000001Z")?,
        at("2024-02-29T23:59:59Z")?,
    ];
    come_back!(db, values: Timestamp);
    Ok(())
}

async fn durations_come_back_below_zero_and_at_their_ends(db: Db) -> Verdict {
    let values = [0, 1, -1, 1_000_000, -1_000_001, i64::MAX, i64::MIN].map(Duration::from_micros).into();
    come_back!(db, values: Duration);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Documented {
    #[ommi(key)]
    id: i64,
    document: Json,
    optional: Option<Json>,
}

async fn json_comes_back(db: Db) -> Verdict {
    let documents = [
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(0),
        serde_json::json!(-1.5),
        serde_json::json!(u64::MAX),
        serde_json::json!(i64::MIN),
        serde_json::json!(""),
        serde_json::json!("a\"b\\c\n\u{1F600}"),
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!([1, [2, [3, null]], {"a": [{"b": {}}]}]),
        serde_json::json!({"": 0, "a.b": 1, "$c": {"'": "\""}, "日": "本"}),
    ];
    let rows: Vec<Documented> = (1..)
        .zip(&documents)
        .map(|(id, document)| Documented { id, document: document.clone(), optional: Some(document.clone()) })
        .collect();
    check_eq!(fill(&db, rows.clone()).await?, rows);
    check_eq!(db.find(Documented::all()).order_by(Documented::ID.asc()).all().await?, rows);
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Value)]
enum Color {
    Red,
    #[ommi(rename = "light green")]
    Green,
    #[ommi(rename = "None's")]
    None,
}

async fn text_enums_come_back(db: Db) -> Verdict {
    let values = vec![Color::Red, Color::Green, Color::None];
    come_back!(db, values: Color);
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Value)]
#[ommi(integer)]
enum Level {
    Low = -5,
    Middle = 0,
    High = 300,
}

async fn integer_enums_come_back(db: Db) -> Verdict {
    let values = vec![Level::Low, Level::Middle, Level::High];
    come_back!(db, values: Level);
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Value)]
struct Address(String);

#[derive(Clone, Copy, Debug, PartialEq, Value)]
struct Meters(u32);

async fn newtypes_come_back(db: Db) -> Verdict {
    let values = vec![Address(String::new()), Address("a@b".into())];
    come_back!(db, values: Address);
    let values = vec![Meters(0), Meters(u32::MAX)];
    {
        #[derive(Model, Clone, Debug, PartialEq)]
        struct Measured {
            #[ommi(key)]
            id: i64,
            length: Meters,
        }
        let rows: Vec<Measured> = (1..).zip(values).map(|(id, length)| Measured { id, length }).collect();
        check_eq!(fill(&db, rows.clone()).await?, rows);
        check_eq!(db.find(Measured::LENGTH.gt(Meters(0))).all().await?, rows.get(1..).unwrap_or_default());
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Floats {
    #[ommi(key)]
    id: i64,
    double: f64,
    single: f32,
}

async fn negative_zero_is_zero(db: Db) -> Verdict {
    let rows = vec![Floats { id: 1, double: -0.0, single: -0.0 }, Floats { id: 2, double: 0.0, single: 0.0 }];
    let added = fill(&db, rows).await?;
    for row in added.into_iter().chain(db.find(Floats::all()).all().await?) {
        check!(row.double.is_sign_positive() && row.single.is_sign_positive(), "{row:?} has a negative zero");
    }
    check_eq!(db.find(Floats::DOUBLE.eq(-0.0)).count().await?, 2);
    check_eq!(db.find(Floats::DOUBLE.lt(0.0)).count().await?, 0);
    check_eq!(db.find(Floats::SINGLE.in_([-0.0])).count().await?, 2);
    Ok(())
}

async fn nan_is_refused_in_writes(db: Db) -> Verdict {
    fill(&db, vec![Floats { id: 1, ..Floats::default() }]).await?;
    let error = refused(db.add(Floats { id: 2, double: f64::NAN, single: 0.0 }).await)?;
    check!(error.is_query(), "{error}");
    check_eq!(error.fields(), ["double"]);
    check!(refused(db.add(Floats { id: 2, double: 0.0, single: f32::NAN }).await)?.is_query());
    check!(refused(db.find(Floats::all()).update(Floats::DOUBLE.set(f64::NAN)).await)?.is_query());
    check_eq!(db.find(Floats::DOUBLE.eq(0.0)).count().await?, 1);
    Ok(())
}

async fn nan_is_refused_in_arguments(db: Db) -> Verdict {
    fill(&db, vec![Floats { id: 1, ..Floats::default() }]).await?;
    for filter in [
        Floats::DOUBLE.eq(f64::NAN),
        Floats::DOUBLE.lt(f64::NAN),
        Floats::DOUBLE.in_([1.0, f64::NAN]),
        !Floats::SINGLE.ne(f32::NAN),
    ] {
        let error = refused(db.find(filter).all().await)?;
        check!(error.is_query(), "{error}");
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Wide {
    #[ommi(key)]
    id: i64,
    a: bool,
    b: Option<i8>,
    c: i16,
    d: Option<u32>,
    e: u64,
    f: Option<f32>,
    g: f64,
    h: Option<Decimal>,
    i: String,
    j: Option<Vec<u8>>,
    k: Uuid,
    l: Option<Date>,
    m: Time,
    n: Option<DateTime>,
    o: Timestamp,
    p: Option<Duration>,
    q: Json,
    r: Option<Color>,
    s: Vec<String>,
    t: Option<Vec<i64>>,
    u: Level,
}

async fn a_wide_model_comes_back_whole(db: Db) -> Verdict {
    let full = Wide {
        id: i64::MIN,
        a: true,
        b: Some(-128),
        c: 1,
        d: Some(2),
        e: u64::MAX,
        f: Some(0.1),
        g: f64::NEG_INFINITY,
        h: Some(dec!(1.5)),
        i: "x".into(),
        j: Some(vec![0]),
        k: Uuid::max(),
        l: Some(Date::constant(2020, 2, 29)),
        m: Time::constant(1, 2, 3, 0),
        n: Some(DateTime::constant(2020, 1, 1, 0, 0, 0, 1_000)),
        o: Timestamp::UNIX_EPOCH,
        p: Some(Duration::from_micros(-1)),
        q: serde_json::json!({"a": [1]}),
        r: Some(Color::Green),
        s: vec!["a".into(), String::new()],
        t: Some(vec![]),
        u: Level::High,
    };
    let empty = Wide {
        id: 0,
        b: None,
        d: None,
        f: None,
        h: None,
        j: None,
        l: None,
        n: None,
        p: None,
        q: Json::Null,
        r: None,
        s: vec![],
        t: None,
        ..full.clone()
    };
    let rows = vec![full, empty];
    check_eq!(fill(&db, rows.clone()).await?, rows);
    check_eq!(db.find(Wide::all()).order_by(Wide::ID.asc()).all().await?, rows);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Partly {
    #[ommi(key)]
    id: i64,
    #[ommi(skip)]
    cache: Option<String>,
    name: String,
}

async fn a_skipped_field_is_not_stored(db: Db) -> Verdict {
    let row = Partly { id: 1, cache: Some("x".into()), name: "n".into() };
    fill(&db, vec![row.clone()]).await?;
    check_eq!(db.get::<Partly>(1).await?, Partly { cache: None, ..row });
    check_eq!(Partly::definition().fields().len(), 2);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Bare {
    #[ommi(key)]
    id: i64,
}

async fn a_model_of_nothing_but_its_key_comes_back(db: Db) -> Verdict {
    fill(&db, vec![Bare { id: 3 }, Bare { id: -3 }]).await?;
    check_eq!(db.find(Bare::all()).order_by(Bare::ID.asc()).all().await?, [Bare { id: -3 }, Bare { id: 3 }]);
    check_eq!(db.find(Bare::ID.eq(3)).update(Bare::ID.set(4)).await?, 1);
    check!(db.get::<Bare>(4).await.is_ok());
    Ok(())
}
