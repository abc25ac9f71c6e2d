//! The shapes that relations have: trees and circles, keys of all kinds, link models, models without
//! relation fields.

use ommi::prelude::*;
use ommi::{Plural, Relation, Single};

use super::library::{
    Author, Book, BookTag, Tag, authors, books, done, keys, library, names, statements_for, statements_through,
};
use crate::check::{Failure, Verdict, present, refused};

cases! { "shapes of relations":
    a_row_leads_to_its_only_partner_from_both_sides needs UNIQUE,
    a_tree_is_walked_up_and_down,
    a_tree_of_a_thousand_levels_is_walked_to_its_end,
    a_tree_is_loaded_eagerly_over_many_levels,
    a_circle_of_three_models_is_walked_for_ever,
    a_row_that_leads_to_itself_is_shown,
    two_references_to_one_model_are_told_apart,
    keys_of_several_fields_lead_to_their_rows,
    a_key_of_several_fields_with_a_null_leads_nowhere,
    hundreds_of_keys_of_several_fields_are_loaded_in_several_statements,
    keys_of_text_lead_to_their_rows_by_code_point,
    keys_of_uuids_lead_to_their_rows,
    keys_at_the_ends_of_their_ranges_lead_to_their_rows,
    keys_of_different_integer_types_lead_to_their_rows,
    keys_of_enums_decimals_and_dates_lead_to_their_rows,
    a_reference_to_a_unique_field_leads_to_its_row needs UNIQUE,
    followers_lead_both_ways_through_one_link_model,
    the_fields_of_a_link_are_read_beside_its_rows,
    a_link_with_a_key_of_its_own_leads_to_a_row_as_often_as_it_links_it,
    rows_are_related_by_their_fields_alone,
    a_relation_is_followed_backwards,
    a_relation_through_a_link_model_is_followed_backwards,
    given_rows_are_related_in_their_order,
    no_given_rows_ask_nothing,
    models_of_different_modules_are_related,
    names_that_need_quotes_are_related,
    a_relation_that_leads_nowhere_says_so,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct User {
    #[ommi(key)]
    id: i64,
    profile: One<Option<Profile>>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Profile {
    #[ommi(key)]
    id: i64,
    bio: String,
    #[ommi(references = User, unenforced, unique)]
    user_id: Option<i64>,
    user: One<Option<User>>,
}

async fn a_row_leads_to_its_only_partner_from_both_sides(db: Db) -> Verdict {
    db.create::<(User, Profile)>().await?;
    db.add_all((1..=3).map(|id| User { id, ..Default::default() })).await?;
    let profile = |id, user_id| Profile { id, bio: format!("bio {id}"), user_id, ..Default::default() };
    db.add_all([profile(1, Some(3)), profile(2, None), profile(3, Some(1)), profile(4, Some(9))]).await?;
    let users = db.find(User::all()).order_by(User::ID.asc()).all().await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for user in &users {
                found.push(user.profile.get().await?.map(|profile| profile.id));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![Some(3), None, Some(1)], 1));
    let profiles =
        db.find(Profile::all()).order_by(Profile::ID.asc()).with(Profile::USER.with(User::PROFILE)).all().await?;
    let found: Vec<Option<(i64, i64)>> = profiles
        .iter()
        .map(|profile| {
            let user = profile.user.loaded().flatten()?;
            Some((user.id, user.profile.loaded().flatten()?.id))
        })
        .collect();
    check_eq!(found, [Some((3, 1)), None, Some((1, 3)), None]);
    let without = db.find(!User::PROFILE.has(Profile::all())).all().await?;
    check_eq!(without.iter().map(|user| user.id).collect::<Vec<_>>(), [2]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Node {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Node, unenforced, index)]
    parent_id: Option<i64>,
    parent: One<Option<Node>>,
    children: Many<Node>,
}

fn node(id: i64, parent_id: Option<i64>) -> Node {
    Node { id, parent_id, ..Default::default() }
}

async fn a_tree_is_walked_up_and_down(db: Db) -> Verdict {
    db.create::<Node>().await?;
    db.add_all((1..=15).map(|id| node(id, (id > 1).then_some(id / 2)))).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let mut found = Vec::new();
            let root = db.get::<Node>(1).await?;
            for level_1 in root.children.get().await? {
                for level_2 in level_1.children.get().await? {
                    for leaf in level_2.children.get().await? {
                        check!(leaf.children.get().await?.is_empty());
                        let up = present(present(leaf.parent.get().await?)?.parent.get().await?)?;
                        check_eq!(up.id, level_1.id);
                        found.push(leaf.id);
                    }
                }
            }
            done(found)
        })
        .await;
    let mut found = found?;
    found.sort_unstable();
    check_eq!(found, (8..=15).collect::<Vec<i64>>());
    // the root, three levels of children, none below, two levels of parents
    let levels = [1, 2, 4, 8, 4, 2].map(|keys| statements_for(&db, keys));
    check_eq!(statements, 1 + levels.iter().sum::<u64>());
    Ok(())
}

async fn a_tree_of_a_thousand_levels_is_walked_to_its_end(db: Db) -> Verdict {
    db.create::<Node>().await?;
    db.add_all((1..=1_000).map(|id| node(id, (id > 1).then_some(id - 1)))).await?;
    let root = db.get::<Node>(1).await?;
    let mut place = &root;
    let mut depth = 1;
    while let Some(child) = place.children.get().await?.first() {
        place = child;
        depth += 1;
    }
    check_eq!((depth, place.id), (1_000, 1_000));
    let last = db.get::<Node>(1_000).await?;
    let mut place = &last;
    while let Some(parent) = place.parent.get().await? {
        place = parent;
        depth -= 1;
    }
    check_eq!((depth, place.id), (1, 1));
    check!(format!("{root:?}").len() < 500);
    // all of it goes at once
    drop(root);
    drop(last);
    Ok(())
}

async fn a_tree_is_loaded_eagerly_over_many_levels(db: Db) -> Verdict {
    const LEVELS: i64 = 60;
    db.create::<Node>().await?;
    db.add_all((1..=LEVELS).map(|id| node(id, (id > 1).then_some(id - 1)))).await?;
    let mut relation = Node::CHILDREN.with(Node::PARENT);
    for _ in 2..LEVELS {
        relation = Node::CHILDREN.with(relation);
    }
    let (root, statements) = db.count_statements(async |db| db.find(Node::ID.eq(1)).with(relation).one().await).await;
    let root = root?;
    let mut place = &root;
    while let Some(child) = place.children.loaded().and_then(<[Node]>::first) {
        place = child;
    }
    check_eq!(place.id, LEVELS);
    check!(place.children.is_unloaded() && place.parent.is_loaded());
    check_eq!(statements, u64::try_from(LEVELS).unwrap_or_default() + 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Rock {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Paper, unenforced)]
    paper_id: i64,
    beaten_by: One<Paper>,
    beats: Many<Scissors>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Paper {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Scissors, unenforced)]
    scissors_id: i64,
    beaten_by: One<Scissors>,
    beats: Many<Rock>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Scissors {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Rock, unenforced)]
    rock_id: i64,
    beaten_by: One<Rock>,
    beats: Many<Paper>,
}

async fn a_circle_of_three_models_is_walked_for_ever(db: Db) -> Verdict {
    db.create::<(Rock, Paper, Scissors)>().await?;
    db.add(Rock { id: 1, paper_id: 2, ..Default::default() }).await?;
    db.add(Paper { id: 2, scissors_id: 3, ..Default::default() }).await?;
    db.add(Scissors { id: 3, rock_id: 1, ..Default::default() }).await?;
    let rock = db.get::<Rock>(1).await?;
    let mut place = &rock;
    for _ in 0..20 {
        place = place.beaten_by.get().await?.beaten_by.get().await?.beaten_by.get().await?;
        let back = present(present(place.beats.get().await?.first())?.beats.get().await?.first())?;
        check_eq!(present(back.beats.get().await?.first())?.id, 1);
        let shown = format!("{rock:?} {place:?} {back:?}");
        check!(shown.len() < 500 && shown.contains("beaten_by: loaded"), "{shown}");
    }
    let relation =
        Rock::BEATEN_BY.with(Paper::BEATEN_BY.with(Scissors::BEATEN_BY.with(Rock::BEATS.with(Scissors::BEATS))));
    let rock = db.find(Rock::all()).with(relation).one().await?;
    let again = rock.beaten_by.get().await?.beaten_by.get().await?.beaten_by.get().await?;
    check!(again.beats.is_loaded() && rock.beats.is_unloaded());
    Ok(())
}

async fn a_row_that_leads_to_itself_is_shown(db: Db) -> Verdict {
    db.create::<Node>().await?;
    db.add(node(1, Some(1))).await?;
    let one = db.get::<Node>(1).await?;
    let mut place = &one;
    for _ in 0..10 {
        place = present(place.parent.get().await?)?;
        check_eq!(present(place.children.get().await?.first())?.id, 1);
    }
    check!(format!("{one:?}").contains("parent: loaded"));
    check_eq!(db.find(Node::PARENT.has(Node::CHILDREN.any(Node::ID.eq(1)))).count().await?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Team {
    #[ommi(key)]
    id: i64,
    #[ommi(by = home_id)]
    at_home: Many<Match>,
    #[ommi(by = guest_id)]
    away: Many<Match>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Match {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Team, unenforced)]
    home_id: i64,
    #[ommi(references = Team, unenforced)]
    guest_id: Option<i64>,
    #[ommi(by = home_id)]
    home: One<Team>,
    #[ommi(by = guest_id)]
    guest: One<Option<Team>>,
}

async fn two_references_to_one_model_are_told_apart(db: Db) -> Verdict {
    db.create::<(Team, Match)>().await?;
    db.add_all((1..=3).map(|id| Team { id, ..Default::default() })).await?;
    let played = |id, home_id, guest_id| Match { id, home_id, guest_id, ..Default::default() };
    db.add_all([played(1, 1, Some(2)), played(2, 2, Some(1)), played(3, 1, None), played(4, 3, Some(1))]).await?;
    let ids = |matches: &[Match]| {
        let mut ids: Vec<i64> = matches.iter().map(|of| of.id).collect();
        ids.sort_unstable();
        ids
    };
    let first = db.get::<Team>(1).await?;
    check_eq!((ids(first.at_home.get().await?), ids(first.away.get().await?)), (vec![1, 3], vec![2, 4]));
    let matches = db.find(Match::all()).order_by(Match::ID.asc()).with((Match::HOME, Match::GUEST)).all().await?;
    let mut found = Vec::new();
    for of in &matches {
        found.push((of.home.get().await?.id, of.guest.get().await?.map(|team| team.id)));
    }
    check_eq!(found, [(1, Some(2)), (2, Some(1)), (1, None), (3, Some(1))]);
    let both = db.find(Team::AT_HOME.any(Match::all()) & Team::AWAY.count().ge(2)).all().await?;
    check_eq!(both.iter().map(|team| team.id).collect::<Vec<_>>(), [1]);
    let guests = db.find(Match::HOME.has(Team::ID.eq(1)) & !Match::GUEST.has(Team::all())).all().await?;
    check_eq!(ids(&guests), [3]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Flight {
    #[ommi(key)]
    carrier: String,
    #[ommi(key)]
    number: i32,
    tickets: Many<Ticket>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(references((carrier, number) = Flight, unenforced))]
struct Ticket {
    #[ommi(key)]
    id: i64,
    carrier: Option<String>,
    number: Option<i32>,
    flight: One<Option<Flight>>,
}

fn flight(carrier: &str, number: i32) -> Flight {
    Flight { carrier: carrier.into(), number, ..Default::default() }
}

fn ticket(id: i64, carrier: Option<&str>, number: Option<i32>) -> Ticket {
    Ticket { id, carrier: carrier.map(Into::into), number, ..Default::default() }
}

async fn flights(db: &Db) -> Result<Vec<Ticket>> {
    db.create::<(Flight, Ticket)>().await?;
    // text that would run into each other without care
    db.add_all([flight("a", 1), flight("a", 2), flight("b", 1), flight("a\"", 1), flight("a,1", 1), flight("", 1)])
        .await?;
    db.add_all([
        ticket(1, Some("a"), Some(1)),
        ticket(2, Some("b"), Some(1)),
        ticket(3, Some("a"), Some(1)),
        ticket(4, None, Some(1)),
        ticket(5, Some("a"), None),
        ticket(6, Some("b"), Some(2)),
        ticket(7, Some("a\""), Some(1)),
        ticket(8, Some("a,1"), Some(1)),
        ticket(9, Some(""), Some(1)),
        ticket(10, None, None),
    ])
    .await?;
    db.find(Ticket::all()).order_by(Ticket::ID.asc()).all().await
}

async fn keys_of_several_fields_lead_to_their_rows(db: Db) -> Verdict {
    let tickets = flights(&db).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            for ticket in &tickets {
                let flight = ticket.flight.get().await?;
                let there = !matches!(ticket.id, 4 | 5 | 6 | 10);
                check_eq!(flight.is_some(), there, "the flight of ticket {}", ticket.id);
                if let Some(flight) = flight {
                    check_eq!((Some(&flight.carrier), Some(flight.number)), (ticket.carrier.as_ref(), ticket.number));
                }
            }
            Verdict::Ok(())
        })
        .await;
    found?;
    check_eq!(statements, 1);
    let flights =
        db.find(Flight::TICKETS.count().gt(1)).with(Flight::TICKETS.order_by(Ticket::ID.desc()).limit(1)).all().await?;
    let [only] = flights.as_slice() else { return Err(Failure::new("one flight")) };
    check_eq!((&*only.carrier, only.number, present(present(only.tickets.loaded())?.first())?.id), ("a", 1, 3));
    Ok(())
}

async fn a_key_of_several_fields_with_a_null_leads_nowhere(db: Db) -> Verdict {
    flights(&db).await?;
    let nulls = db.find(Ticket::ID.in_([4, 5, 10])).all().await?;
    let (found, statements) = db
        .count_statements(async |_| {
            for ticket in &nulls {
                check!(ticket.flight.get().await?.is_none());
            }
            Verdict::Ok(())
        })
        .await;
    found?;
    check_eq!((nulls.len(), statements), (3, 0));
    check_eq!(db.find(!Ticket::FLIGHT.has(Flight::all())).count().await?, 4);
    Ok(())
}

async fn hundreds_of_keys_of_several_fields_are_loaded_in_several_statements(db: Db) -> Verdict {
    db.create::<(Flight, Ticket)>().await?;
    db.add_all((0..730).map(|number| flight(if number % 2 == 0 { "a" } else { "b" }, number))).await?;
    db.add_all((0..730).map(|id| ticket(i64::from(id), Some("a"), Some(id)))).await?;
    let tickets = db.find(Ticket::all()).all().await?;
    let (found, statements) = db
        .count_statements(async |_| {
            for ticket in &tickets {
                check_eq!(
                    ticket.flight.get().await?.map(|of| i64::from(of.number)),
                    (ticket.id % 2 == 0).then_some(ticket.id)
                );
            }
            Verdict::Ok(())
        })
        .await;
    found?;
    // at most a hundred keys a statement, fewer where a statement takes fewer parameters
    let parameters = db.driver().capabilities().limits.parameters;
    let keys = (parameters / 4).clamp(1, 100);
    check_eq!(statements, u64::try_from(730_usize.div_ceil(keys)).unwrap_or_default());
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Word {
    #[ommi(key)]
    text: String,
    uses: Many<Use>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Use {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Word, unenforced)]
    word_text: String,
    word: One<Option<Word>>,
}

async fn keys_of_text_lead_to_their_rows_by_code_point(db: Db) -> Verdict {
    db.create::<(Word, Use)>().await?;
    let words = ["a", "A", "a ", "é", "e\u{301}", "ß", "'", "\"", "\\", "😀", ""];
    db.add_all(words.map(|text| Word { text: text.into(), ..Default::default() })).await?;
    let others = ["ss", "b", "a  "];
    let uses = (0..).zip(words.iter().chain(&others));
    db.add_all(uses.map(|(id, text)| Use { id, word_text: (*text).into(), ..Default::default() })).await?;
    for of in db.find(Use::all()).all().await? {
        let found = of.word.get().await?.map(|word| word.text.clone());
        let expected = words.contains(&&*of.word_text).then(|| of.word_text.clone());
        check_eq!(found, expected);
    }
    let words = db.find(Word::all()).with(Word::USES).all().await?;
    for word in &words {
        let uses = present(word.uses.loaded())?;
        check!(uses.len() == 1 && uses.iter().all(|of| of.word_text == word.text), "{:?}", word.text);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Device {
    #[ommi(key)]
    id: Uuid,
    #[ommi(references = Device, unenforced)]
    hub_id: Option<Uuid>,
    hub: One<Option<Device>>,
    attached: Many<Device>,
}

async fn keys_of_uuids_lead_to_their_rows(db: Db) -> Verdict {
    db.create::<Device>().await?;
    let id = |number: u128| Uuid::from_u128(number);
    let device = |own, hub: Option<u128>| Device { id: id(own), hub_id: hub.map(id), ..Default::default() };
    let rows = [(0, None), (u128::MAX, Some(0)), (1 << 127, Some(0)), (77, Some(u128::MAX)), (78, Some(5))];
    db.add_all(rows.map(|(own, hub)| device(own, hub))).await?;
    let devices = db.find(Device::all()).order_by(Device::ID.asc()).all().await?;
    for of in &devices {
        let expected = of.hub_id.filter(|hub| *hub != id(5));
        check_eq!(of.hub.get().await?.map(|hub| hub.id), expected);
    }
    check_eq!(present(devices.first())?.attached.get().await?.len(), 2);
    check_eq!(db.find(Device::HUB.has(Device::HUB.has(Device::ID.eq(id(0))))).one().await?.id, id(77));
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Large {
    #[ommi(key)]
    id: u64,
    parts: Many<Part>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Part {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Large, unenforced)]
    large_id: Option<u64>,
    large: One<Option<Large>>,
    #[ommi(references = Part, unenforced)]
    next_id: i64,
    #[ommi(by = next_id)]
    next: One<Option<Part>>,
}

async fn keys_at_the_ends_of_their_ranges_lead_to_their_rows(db: Db) -> Verdict {
    db.create::<(Large, Part)>().await?;
    let ends = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1];
    db.add_all(ends.map(|id| Large { id, ..Default::default() })).await?;
    let part = |id, large_id, next_id| Part { id, large_id: Some(large_id), next_id, ..Default::default() };
    db.add_all([
        part(i64::MIN, u64::MAX, i64::MAX),
        part(i64::MAX, 1 << 63, i64::MIN),
        part(0, (1 << 63) - 1, -1),
        part(-1, 0, 0),
        part(5, 6, 7),
    ])
    .await?;
    for of in db.find(Part::all()).all().await? {
        check_eq!(of.large.get().await?.map(|large| large.id), of.large_id.filter(|id| *id != 6));
        check_eq!(of.next.get().await?.map(|next| next.id), (of.next_id != 7).then_some(of.next_id));
    }
    let large = db.find(Large::PARTS.any(Part::all())).count().await?;
    check_eq!(large, 4);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Small {
    #[ommi(key)]
    id: i16,
    wide: Many<Wide>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Wide {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Small, unenforced)]
    small_id: Option<i64>,
    small: One<Option<Small>>,
}

async fn keys_of_different_integer_types_lead_to_their_rows(db: Db) -> Verdict {
    db.create::<(Small, Wide)>().await?;
    db.add_all([-1, 0, 200, i16::MAX].map(|id| Small { id, ..Default::default() })).await?;
    let wide = |id, small_id| Wide { id, small_id, ..Default::default() };
    db.add_all([wide(1, Some(-1)), wide(2, Some(200)), wide(3, Some(65_535)), wide(4, None), wide(5, Some(200))])
        .await?;
    let mut found = Vec::new();
    for wide in &db.find(Wide::all()).order_by(Wide::ID.asc()).all().await? {
        found.push(wide.small.get().await?.map(|small| small.id));
    }
    check_eq!(found, [Some(-1), Some(200), None, None, Some(200)]);
    let all = db.find(Small::all()).order_by(Small::ID.asc()).with(Small::WIDE).all().await?;
    let counts: Vec<usize> = all.iter().filter_map(|small| small.wide.loaded()).map(<[Wide]>::len).collect();
    check_eq!(counts, [1, 0, 2, 0]);
    Ok(())
}

#[derive(Value, Clone, Copy, Debug, Default, PartialEq)]
enum Colour {
    #[default]
    Red,
    Green,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Swatch {
    #[ommi(key)]
    colour: Colour,
    #[ommi(key)]
    size: Decimal,
    #[ommi(key)]
    day: Date,
    samples: Many<Sample>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(references((colour, size, day) = Swatch, unenforced))]
struct Sample {
    #[ommi(key)]
    id: i64,
    colour: Colour,
    size: Option<Decimal>,
    day: Date,
    swatch: One<Option<Swatch>>,
}

async fn keys_of_enums_decimals_and_dates_lead_to_their_rows(db: Db) -> Verdict {
    db.create::<(Swatch, Sample)>().await?;
    let day = |day| Date::constant(2024, 2, day);
    let swatch = |colour, size, of| Swatch { colour, size, day: day(of), ..Default::default() };
    db.add_all([
        swatch(Colour::Red, dec!(1.5), 1),
        swatch(Colour::Green, dec!(1.5), 1),
        swatch(Colour::Red, dec!(2), 29),
    ])
    .await?;
    let sample = |id, colour, size, of| Sample { id, colour, size, day: day(of), ..Default::default() };
    db.add_all([
        sample(1, Colour::Red, Some(dec!(1.50)), 1),
        sample(2, Colour::Green, Some(dec!(1.5)), 1),
        sample(3, Colour::Red, Some(dec!(2.000)), 29),
        sample(4, Colour::Green, Some(dec!(2)), 29),
        sample(5, Colour::Red, None, 1),
    ])
    .await?;
    let samples = db.find(Sample::all()).order_by(Sample::ID.asc()).all().await?;
    let mut found = Vec::new();
    for sample in &samples {
        found.push(sample.swatch.get().await?.map(|of| (of.colour, of.size, of.day)));
    }
    check_eq!(
        found,
        [
            Some((Colour::Red, dec!(1.5), day(1))),
            Some((Colour::Green, dec!(1.5), day(1))),
            Some((Colour::Red, dec!(2), day(29))),
            None,
            None
        ]
    );
    let swatches = db.find(Swatch::SAMPLES.any(Sample::ID.eq(3))).with(Swatch::SAMPLES).one().await?;
    check_eq!(present(present(swatches.samples.loaded())?.first())?.id, 3);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Plane {
    #[ommi(key)]
    id: i64,
    #[ommi(unique)]
    tail: Option<String>,
    hops: Many<Hop>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Hop {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Plane::TAIL, unenforced)]
    tail: Option<String>,
    plane: One<Option<Plane>>,
}

async fn a_reference_to_a_unique_field_leads_to_its_row(db: Db) -> Verdict {
    db.create::<(Plane, Hop)>().await?;
    let planes = [(1, Some("N1")), (2, Some("N2")), (3, None), (4, None)];
    db.add_all(planes.map(|(id, tail)| Plane { id, tail: tail.map(Into::into), ..Default::default() })).await?;
    let hops = [(1, Some("N2")), (2, Some("N1")), (3, Some("N2")), (4, None), (5, Some("n1"))];
    db.add_all(hops.map(|(id, tail)| Hop { id, tail: tail.map(Into::into), ..Default::default() })).await?;
    let mut found = Vec::new();
    for hop in &db.find(Hop::all()).order_by(Hop::ID.asc()).all().await? {
        found.push(hop.plane.get().await?.map(|plane| plane.id));
    }
    check_eq!(found, [Some(2), Some(1), Some(2), None, None]);
    let planes = db.find(Plane::all()).order_by(Plane::ID.asc()).with(Plane::HOPS).all().await?;
    let counts: Vec<usize> = planes.iter().filter_map(|plane| plane.hops.loaded()).map(<[Hop]>::len).collect();
    check_eq!(counts, [1, 2, 0, 0]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Person {
    #[ommi(key)]
    id: i64,
    #[ommi(through = Follow, by = followed_id)]
    followers: Many<Person>,
    #[ommi(through = Follow, by = follower_id)]
    follows: Many<Person>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Follow {
    #[ommi(key, references = Person, unenforced)]
    follower_id: i64,
    #[ommi(key, references = Person, unenforced)]
    followed_id: i64,
}

fn people(people: &[Person]) -> Vec<i64> {
    let mut ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    ids.sort_unstable();
    ids
}

async fn followers_lead_both_ways_through_one_link_model(db: Db) -> Verdict {
    db.create::<(Person, Follow)>().await?;
    db.add_all((1..=4).map(|id| Person { id, ..Default::default() })).await?;
    let follow = |(follower_id, followed_id)| Follow { follower_id, followed_id };
    db.add_all([(1, 2), (2, 1), (3, 1), (3, 3), (4, 9)].map(follow)).await?;
    let all = db.find(Person::all()).order_by(Person::ID.asc()).all().await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for person in &all {
                found.push((people(person.followers.get().await?), people(person.follows.get().await?)));
            }
            done(found)
        })
        .await;
    check_eq!(found?, [(vec![2, 3], vec![2]), (vec![1], vec![1]), (vec![3], vec![1, 3]), (vec![], vec![])]);
    check_eq!(statements, statements_through(&db, 4, 3) + statements_through(&db, 4, 4));
    let mutual = Person::FOLLOWS.any(Person::FOLLOWS.any(Person::ID.eq(1)));
    check_eq!(people(&db.find(mutual).all().await?), [1, 3]);
    let counted =
        db.find(Person::all()).order_by(Person::ID.asc()).select((Person::FOLLOWERS.count(), Person::FOLLOWS.count()));
    // a link to nobody leads to no row, and counts for nothing
    check_eq!(counted.all().await?, [(2, 1), (1, 1), (1, 2), (0, 0)]);
    Ok(())
}

async fn the_fields_of_a_link_are_read_beside_its_rows(db: Db) -> Verdict {
    library(&db).await?;
    // the link model leads to both ends, and is led to by its fields
    let books = books(&db).await?;
    let links = BookTag::BOOK.inverse().order_by(BookTag::WEIGHT.desc()).with(BookTag::TAG).of(&db, &books).await?;
    let mut found = Vec::new();
    for (book, links) in books.iter().zip(links.iter()) {
        for link in links.iter().filter(|link| link.tag.loaded().is_some()) {
            found.push((book.id, link.tag.get().await?.name.clone(), link.weight));
        }
    }
    let entry = |id, name: &str, weight| (id, name.to_owned(), weight);
    check_eq!(
        found,
        [
            entry(10, "fantasy", Some(3)),
            entry(11, "fantasy", Some(1)),
            entry(11, "science", None),
            entry(12, "science", Some(2))
        ]
    );
    let heavy =
        db.find(BookTag::WEIGHT.ge(2) & BookTag::BOOK.has(Book::AUTHOR.has(Author::NAME.eq("Ursula")))).all().await?;
    check_eq!(heavy.iter().map(|link| link.book_id).collect::<Vec<_>>(), [10]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Reader {
    #[ommi(key)]
    id: i64,
    #[ommi(through = Loan)]
    books: Many<Volume>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Volume {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Loan {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Reader, unenforced)]
    reader_id: i64,
    #[ommi(references = Volume, unenforced)]
    volume_id: Option<i64>,
}

async fn a_link_with_a_key_of_its_own_leads_to_a_row_as_often_as_it_links_it(db: Db) -> Verdict {
    db.create::<(Reader, Volume, Loan)>().await?;
    db.add_all((1..=2).map(|id| Reader { id, ..Default::default() })).await?;
    db.add_all((1..=3).map(|id| Volume { id })).await?;
    let loan = |(id, reader_id, volume_id)| Loan { id, reader_id, volume_id };
    db.add_all([(1, 1, Some(1)), (2, 1, Some(1)), (3, 1, Some(2)), (4, 2, None), (5, 2, Some(1))].map(loan)).await?;
    let readers = db.find(Reader::all()).order_by(Reader::ID.asc()).with(Reader::BOOKS).all().await?;
    let ids = |reader: &Reader| {
        let mut ids: Vec<i64> = reader.books.loaded().unwrap_or_default().iter().map(|volume| volume.id).collect();
        ids.sort_unstable();
        ids
    };
    check_eq!(readers.iter().map(ids).collect::<Vec<_>>(), [vec![1, 1, 2], vec![1]]);
    Ok(())
}

const WRITTEN_BY: Relation<Book, Author, Single> = Book::AUTHOR_ID.leads_to(Author::ID);
const WROTE: Relation<Author, Book, Plural> = WRITTEN_BY.inverse();

async fn rows_are_related_by_their_fields_alone(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let (found, statements) = db.count_statements(async |db| WRITTEN_BY.of(db, &books).await).await;
    let found = found?;
    check_eq!(
        found.iter().map(|of| of.map(|author| author.id)).collect::<Vec<_>>(),
        [Some(1), Some(1), Some(2), None, None]
    );
    check_eq!(statements, 1);
    check!(found.get(0).is_some() && found.get(3).is_none() && found.get(99).is_none());
    let authors = authors(&db).await?;
    let found = WROTE.of(&db, &authors).await?;
    check_eq!(found.iter().map(keys).collect::<Vec<_>>(), [vec![10, 11], vec![12], vec![]]);
    check_eq!(db.find(WRITTEN_BY.has(Author::NAME.eq("Stanisław"))).one().await?.id, 12);
    check_eq!(db.find(WROTE.none(Book::all())).one().await?.id, 3);
    check_eq!(db.find(WROTE.count().eq(2)).one().await?.id, 1);
    Ok(())
}

async fn a_relation_is_followed_backwards(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    let found = Book::AUTHOR.inverse().of(&db, &authors).await?;
    check_eq!(found.iter().map(keys).collect::<Vec<_>>(), [vec![10, 11], vec![12], vec![]]);
    let books = books(&db).await?;
    let found = Book::AUTHOR.inverse().inverse().of(&db, &books).await?;
    check_eq!(found.iter().map(<[Author]>::len).collect::<Vec<_>>(), [1, 1, 1, 0, 0]);
    let found = Author::BOOKS.inverse().of(&db, &books).await?;
    check_eq!(found.iter().map(<[Author]>::len).collect::<Vec<_>>(), [1, 1, 1, 0, 0]);
    check_eq!(keys(&db.find(Author::BOOKS.inverse().any(Author::NAME.eq("Ursula"))).all().await?), [10, 11]);
    Ok(())
}

async fn a_relation_through_a_link_model_is_followed_backwards(db: Db) -> Verdict {
    library(&db).await?;
    let tags = db.find(Tag::all()).order_by(Tag::NAME.asc()).all().await?;
    let (found, statements) = db.count_statements(async |db| Book::TAGS.inverse().of(db, &tags).await).await;
    check_eq!(found?.iter().map(keys).collect::<Vec<_>>(), [vec![10, 11], vec![11, 12], vec![]]);
    check_eq!(statements, statements_through(&db, 3, 4));
    let books = books(&db).await?;
    let found = Tag::BOOKS.inverse().of(&db, &books).await?;
    check_eq!(
        found.iter().map(names).collect::<Vec<_>>(),
        [vec!["fantasy"], vec!["fantasy", "science"], vec!["science"], vec![], vec![]]
    );
    Ok(())
}

async fn given_rows_are_related_in_their_order(db: Db) -> Verdict {
    library(&db).await?;
    let mut given = books(&db).await?;
    given.reverse();
    let twice: Vec<Book> = given.iter().chain(&given).cloned().collect();
    let (found, statements) = db.count_statements(async |db| Book::AUTHOR.of(db, &twice).await).await;
    let expected = [None, None, Some(2), Some(1), Some(1)];
    check_eq!(found?.iter().map(|of| of.map(|author| author.id)).collect::<Vec<_>>(), [expected, expected].concat());
    check_eq!(statements, 1);
    // an instance that is not stored has a key as well
    let new = [super::library::book(0, "", None, Some(2))];
    let found = Book::AUTHOR.of(&db, &new).await?;
    check_eq!(present(found.get(0))?.id, 2);
    check_eq!(present(Book::REVIEWS.of(&db, &given).await?.get(4).first())?.book_id, 10);
    Ok(())
}

async fn no_given_rows_ask_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let none = Book::AUTHOR.of(db, &[]).await?;
            let nulls = Book::AUTHOR.of(db, &[super::library::book(1, "", None, None)]).await?;
            done((none.len(), none.is_empty(), nulls.len(), nulls.get(0).is_none()))
        })
        .await;
    check_eq!((found?, statements), ((0, true, 1, true), 0));
    Ok(())
}

mod elsewhere {
    use ommi::prelude::*;

    #[derive(Model, Clone, Debug, Default, PartialEq)]
    pub(super) struct City {
        #[ommi(key)]
        pub(super) code: String,
        pub(super) name: String,
    }
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Street {
    #[ommi(key)]
    id: i64,
    #[ommi(references = elsewhere::City, unenforced)]
    city_code: String,
    city: One<elsewhere::City>,
}

async fn models_of_different_modules_are_related(db: Db) -> Verdict {
    db.create::<(elsewhere::City, Street)>().await?;
    db.add(elsewhere::City { code: "B".into(), name: "Berlin".into() }).await?;
    let street = db.add(Street { id: 1, city_code: "B".into(), ..Default::default() }).await?;
    check_eq!(street.city.get().await?.name, "Berlin");
    let cities = db.find(elsewhere::City::all()).all().await?;
    check_eq!(Street::CITY.inverse().of(&db, &cities).await?.get(0).len(), 1);
    check_eq!(db.find(Street::CITY.has(elsewhere::City::NAME.starts_with("Ber"))).count().await?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "group by")]
struct Order {
    #[ommi(key, name = "select \"it\"")]
    r#type: i64,
    #[ommi(references = Order, unenforced, name = "FROM where")]
    r#in: Option<i64>,
    r#match: One<Option<Order>>,
    all: Many<Order>,
}

async fn names_that_need_quotes_are_related(db: Db) -> Verdict {
    db.create::<Order>().await?;
    let order = |of, within| Order { r#type: of, r#in: within, ..Default::default() };
    db.add_all([order(1, None), order(2, Some(1)), order(3, Some(1))]).await?;
    let first = db.find(Order::ALL.any(Order::TYPE.eq(3))).with(Order::ALL.with(Order::MATCH)).one().await?;
    check_eq!(present(first.all.loaded())?.len(), 2);
    let ordered =
        db.find(Order::all()).order_by((Order::MATCH.at(Order::TYPE).desc(), Order::TYPE.asc())).all().await?;
    check_eq!(ordered.iter().map(|of| of.r#type).collect::<Vec<_>>(), [2, 3, 1]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Island {
    #[ommi(key)]
    id: i64,
    bridges: Many<elsewhere::City>,
}

async fn a_relation_that_leads_nowhere_says_so(db: Db) -> Verdict {
    let error = refused(db.create::<(Island, elsewhere::City)>().await)?;
    check!(error.is_schema(), "{error}");
    for part in ["Island", "bridges", "no field of City references Island"] {
        check!(error.to_string().contains(part), "{error}");
    }
    check_eq!(statements_for(&db, 0), 0);
    Ok(())
}
