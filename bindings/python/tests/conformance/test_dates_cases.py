from datetime import date, datetime, time, timedelta, timezone

import pytest

from models import Moment, passing, still, stored
from ommi import count


async def part(db, expression, **fields):
    await db.add(Moment(**fields)).or_raise()
    return (await db.find(Moment).select(expression).one.or_raise())[0]


async def parts(db, field, names, value):
    await db.add(Moment(**{field.name: value})).or_raise()
    return await db.find(Moment).select(*(getattr(field, name) for name in names)).one.or_raise()


async def test_a_date_has_a_year_a_month_and_a_day(db):
    assert await parts(db, Moment.day, ["year", "month", "day"], date(2024, 2, 29)) == (2024, 2, 29)


async def test_the_weekday_counts_from_monday_1_to_sunday_7(db):
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(7)]
    await stored(db, Moment, "day", days)
    rows = await db.find(Moment).select(Moment.day.weekday).order_by(Moment.id).all.or_raise()
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6, 7]


async def test_a_time_has_an_hour_a_minute_and_a_second(db):
    assert await parts(db, Moment.clock, ["hour", "minute", "second"], time(23, 58, 59, 999999)) == (23, 58, 59)


async def test_a_date_time_has_all_parts(db):
    names = ["year", "month", "day", "hour", "minute", "second"]
    assert await parts(db, Moment.local, names, datetime(2024, 2, 29, 1, 2, 3, 4)) == (2024, 2, 29, 1, 2, 3)


async def test_the_parts_of_an_instant_are_those_of_utc(db):
    zone = timezone(timedelta(hours=5, minutes=30))
    instant = datetime(2024, 1, 1, 2, 0, tzinfo=zone)
    assert await parts(db, Moment.instant, ["year", "day", "hour", "minute"], instant) == (2023, 31, 20, 30)


async def test_parts_are_right_before_1970(db):
    names = ["year", "month", "day", "hour", "second"]
    assert await parts(db, Moment.local, names, datetime(1901, 12, 13, 20, 45, 52, 1)) == (1901, 12, 13, 20, 52)


async def test_parts_are_right_at_the_ends_of_the_calendar(db):
    await stored(db, Moment, "day", [date(1, 1, 1), date(9999, 12, 31)])
    rows = await db.find(Moment).select(Moment.day.year, Moment.day.weekday).order_by(Moment.id).all.or_raise()
    assert rows == [(1, 1), (9999, 5)]


async def test_a_part_of_null_is_null(db):
    assert await part(db, Moment.day.year) is None


async def test_offsets_become_instants(db):
    zone = timezone(timedelta(hours=-8))
    await db.add(Moment(instant=datetime(2024, 1, 1, tzinfo=zone))).or_raise()
    found = await db.find(Moment).one.or_raise()
    assert found.instant == datetime(2024, 1, 1, 8, tzinfo=timezone.utc) and found.instant.tzinfo is timezone.utc


async def test_dates_compare_by_the_calendar(db):
    values = [date(2023, 12, 31), date(2024, 1, 1), date(9999, 1, 1)]
    assert await passing(db, Moment, "day", values, Moment.day > date(2023, 12, 31)) == values[1:]


async def test_date_times_compare_to_the_microsecond(db):
    base = datetime(2024, 1, 1)
    values = [base, base + timedelta(microseconds=1), base + timedelta(microseconds=2)]
    assert await passing(db, Moment, "local", values, Moment.local > values[1]) == values[2:]


async def test_instants_compare_whatever_their_offsets(db):
    zone = timezone(timedelta(hours=3))
    values = [datetime(2024, 1, 1, 3, tzinfo=zone), datetime(2024, 1, 1, 1, tzinfo=timezone.utc)]
    found = await passing(db, Moment, "instant", values, Moment.instant == datetime(2024, 1, 1, tzinfo=timezone.utc))
    assert found == values[:1]


async def test_durations_compare_by_length(db):
    values = [timedelta(hours=25), timedelta(days=1), timedelta(days=-2)]
    assert await passing(db, Moment, "lasting", values, Moment.lasting > timedelta(days=1)) == values[:1]


async def test_rows_are_grouped_by_a_date_part(db):
    await stored(db, Moment, "day", [date(2024, 1, 1), date(2024, 5, 1), date(2023, 1, 1)])
    groups = db.find(Moment).group_by(Moment.day.year).select(Moment.day.year, count()).order_by(Moment.day.year)
    assert await groups.all.or_raise() == [(2023, 1), (2024, 2)]


async def test_date_fields_compare_with_each_other(db):
    one, other = datetime(2024, 1, 1), datetime(2024, 1, 2)
    await db.add(Moment(local=one, day=one.date()), Moment(local=other, day=one.date())).or_raise()
    assert await still(db, Moment, "id", Moment.local.day == Moment.day.day) == [1]


async def test_dates_stand_in_long_lists(db):
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(300)]
    assert await passing(db, Moment, "day", days[::50], Moment.day.in_(days[:101])) == [days[0], days[50], days[100]]


async def test_years_outside_1_to_9999_are_refused(db):
    # Python's own dates go no further; an offset may
    with pytest.raises(Exception, match="instant"):
        await db.add(Moment(instant=datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))))).or_raise()
    assert await db.find(Moment).count.or_raise() == 0
