use ommi_core::query::{Comparison, Condition, DatePart, Expr, InList, ListOperator, TextOperator};
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, ValueType};
use ommi_sql::Slot;

use super::library::*;

fn text_of(condition: Condition, parameters: &[ValueType]) -> String {
    where_of(condition, parameters).0
}

#[test]
fn parentheses_follow_precedence() {
    let (a, b, c) = (eq(f("id"), p(0)), is_null(f("pages")), lt(f("id"), p(1)));
    let types = [ValueType::I64, ValueType::I64];
    let condition = Condition::And(vec![Condition::Or(vec![a.clone(), b.clone()]), not(c.clone())]);
    assert_eq!(text_of(condition, &types), r#"("id" = ?1 OR "pages" IS NULL) AND "id" >= ?2"#);
    let condition = Condition::Or(vec![Condition::And(vec![a, b.clone()]), c.clone()]);
    assert_eq!(text_of(condition, &types), r#""id" = ?1 AND "pages" IS NULL OR "id" < ?2"#);
    let condition = not(Condition::And(vec![b, c]));
    assert_eq!(text_of(condition, &types), r#"NOT ("pages" IS NULL AND "id" < ?1)"#);
}

#[test]
fn constants_in_a_condition_are_folded() {
    let a = is_null(f("pages"));
    let t = Condition::Const(true);
    assert_eq!(text_of(Condition::And(vec![t.clone(), a.clone()]), &[]), r#""pages" IS NULL"#);
    assert_eq!(text_of(Condition::Or(vec![not(t), a]), &[]), r#""pages" IS NULL"#);
}

#[test]
fn a_parameter_used_twice_is_bound_once() {
    let condition = Condition::Or(vec![eq(f("id"), p(0)), eq(f("author_id"), p(0))]);
    let (text, slots) = where_of(condition, &[ValueType::I64]);
    assert_eq!((text.as_str(), slots), (r#""id" = ?1 OR "author_id" = ?1"#, vec![Slot::Value(0)]));
}

#[test]
fn decimals_compare_by_text_only_where_texts_are_canonical() {
    let (price, one) = (price(), std::slice::from_ref(&ValueType::DECIMAL));
    let types = std::slice::from_ref(&price);
    assert_eq!(text_of(eq(f("price"), p(0)), types), r#""price" = ?1"#);
    assert_eq!(text_of(not(eq(f("price"), p(0))), types), r#""price" <> ?1"#);
    assert_eq!(text_of(lt(f("price"), p(0)), types), r#""price" COLLATE OMMI_DECIMAL < ?1"#);
    assert_eq!(text_of(eq(f("price"), p(0)), one), r#""price" COLLATE OMMI_DECIMAL = ?1"#);
    assert_eq!(text_of(eq(f("price"), f("cost")), &[]), r#""price" COLLATE OMMI_DECIMAL = "cost""#);
    assert_eq!(text_of(lt(f("pages"), f("price")), &[]), r#"CAST("pages" AS TEXT) COLLATE OMMI_DECIMAL < "price""#);
    assert_eq!(
        text_of(compare(f("price"), Comparison::Ge, f("sold")), &[]),
        r#""price" COLLATE OMMI_DECIMAL >= CAST("sold" AS TEXT)"#
    );
}

fn is_in(expr: Expr, list: InList, negated: bool) -> Condition {
    Condition::In { expr, list, negated }
}

#[test]
fn short_lists_have_a_placeholder_for_each_value() {
    let values = InList::Values(vec![p(0), p(1)]);
    let types = [ValueType::I32, ValueType::I32];
    assert_eq!(text_of(is_in(f("pages"), values.clone(), false), &types), r#""pages" IN (?1, ?2)"#);
    assert_eq!(text_of(is_in(f("pages"), values.clone(), true), &types), r#""pages" NOT IN (?1, ?2)"#);
    assert_eq!(text_of(is_in(f("pages"), InList::Values(vec![p(0)]), true), &types), r#""pages" <> ?1"#);
    assert_eq!(text_of(is_in(f("price"), values.clone(), false), &[price(), price()]), r#""price" IN (?1, ?2)"#);
    assert_eq!(
        text_of(is_in(f("extra"), values, true), &[ValueType::Json, ValueType::Json]),
        r#"NOT ommi_json_eq("extra", ?1) AND NOT ommi_json_eq("extra", ?2)"#
    );
}

#[test]
fn long_lists_are_one_parameter() {
    let whole =
        |name: &str, element: ValueType| where_of(is_in(f(name), InList::Whole(p(0)), false), &[list_of(element)]);
    let (text, slots) = whole("pages", ValueType::I32);
    assert_eq!(text, r#""pages" IN (SELECT value FROM json_each(?1))"#);
    assert_eq!(slots, [Slot::ListJson(0)]);
    assert_eq!(whole("mark", ValueType::Bytes).0, r#""mark" IN (SELECT unhex(value) FROM json_each(?1))"#);
    assert_eq!(whole("price", price()).0, r#""price" IN (SELECT value FROM json_each(?1))"#);
    assert_eq!(whole("cost", price()).0, r#""cost" COLLATE OMMI_DECIMAL IN (SELECT value FROM json_each(?1))"#);
    assert_eq!(
        whole("extra", ValueType::Json).0,
        "CASE WHEN \"Book\".\"extra\" IS NOT NULL THEN EXISTS (SELECT 1 FROM json_each(?1) AS ommi_element \
         WHERE ommi_json_eq(\"Book\".\"extra\", ommi_element.value)) END"
    );
}

#[test]
fn texts_are_tested_natively_where_that_is_exact() {
    let test = |operator| where_of(matches(operator, f("title"), p(0)), &[ValueType::Text]);
    assert_eq!(
        test(TextOperator::StartsWith),
        (r#""title" >= ?1 AND "title" < ?2"#.into(), vec![Slot::Value(0), Slot::PrefixEnd(0)])
    );
    assert_eq!(test(TextOperator::Contains), (r#"instr("title", ?1) > 0"#.into(), vec![Slot::Value(0)]));
    assert_eq!(test(TextOperator::EndsWith).0, r#"substr("title", length("title") - length(?1) + 1) = ?1"#);
    assert_eq!(test(TextOperator::Like).0, r#"ommi_like("title", ?1, 0)"#);
    assert_eq!(test(TextOperator::ILike).0, r#"ommi_like("title", ?1, 1)"#);
    assert_eq!(test(TextOperator::Regex).0, r#"ommi_regex("title", ?1)"#);
    assert_eq!(test(TextOperator::IEq).0, r#"ommi_fold("title") = ommi_fold(?1)"#);
    assert_eq!(test(TextOperator::IContains).0, r#"instr(ommi_fold("title"), ommi_fold(?1)) > 0"#);
    assert_eq!(test(TextOperator::IStartsWith).0, r#"substr(ommi_fold("title"), 1, length(?1)) = ommi_fold(?1)"#);
    assert_eq!(
        test(TextOperator::IEndsWith).0,
        r#"substr(ommi_fold("title"), length("title") - length(?1) + 1) = ommi_fold(?1)"#
    );
}

#[test]
fn negated_tests_of_texts_are_unknown_for_null() {
    let negated = |operator| Condition::Text { operator, expr: f("subtitle"), pattern: p(0), negated: true };
    let types = [ValueType::Text];
    assert_eq!(text_of(negated(TextOperator::StartsWith), &types), r#"NOT ("subtitle" >= ?1 AND "subtitle" < ?2)"#);
    assert_eq!(text_of(negated(TextOperator::Contains), &types), r#"NOT instr("subtitle", ?1) > 0"#);
    assert_eq!(text_of(negated(TextOperator::Like), &types), r#"NOT ommi_like("subtitle", ?1, 0)"#);
}

#[test]
fn texts_are_tested_against_each_other() {
    let condition = matches(TextOperator::StartsWith, f("title"), f("subtitle"));
    assert_eq!(text_of(condition, &[]), r#"substr("title", 1, length("subtitle")) = "subtitle""#);
}

#[test]
fn parts_of_dates_are_cut_from_their_text() {
    let part = |part| {
        let of = Box::new(f("printed"));
        text_of(eq(Expr::DatePart { part, of }, p(0)), &[ValueType::I64])
    };
    assert_eq!(part(DatePart::Year), r#"CAST(substr("printed", 1, 4) AS INTEGER) = ?1"#);
    assert_eq!(part(DatePart::Day), r#"CAST(substr("printed", 9, 2) AS INTEGER) = ?1"#);
    assert_eq!(part(DatePart::Hour), r#"CAST(substr("printed", 12, 2) AS INTEGER) = ?1"#);
    assert_eq!(part(DatePart::Second), r#"CAST(substr("printed", 18, 2) AS INTEGER) = ?1"#);
    assert_eq!(part(DatePart::Weekday), r#"(CAST(strftime('%w', "printed") AS INTEGER) + 6) % 7 + 1 = ?1"#);
}

#[test]
fn paths_into_documents_are_written_as_json() {
    let path = vec![PathStep::from("it's \"x\""), PathStep::Index(2)];
    let at = Expr::JsonPath { of: Box::new(f("extra")), path, cast: JsonCast::Int };
    assert_eq!(text_of(lt(at, p(0)), &[ValueType::I64]), r#"ommi_json_at("extra", '["it''s \"x\"",2]', 'int') < ?1"#);
    assert_eq!(text_of(eq(f("extra"), p(0)), &[ValueType::Json]), r#"ommi_json_eq("extra", ?1)"#);
}

#[test]
fn lists_are_unfolded_under_a_name_of_their_own() {
    let contains = in_list(ListOperator::Contains, f("tags"), p(0));
    assert_eq!(
        text_of(contains, &[ValueType::Text]),
        "CASE WHEN \"Book\".\"tags\" IS NOT NULL THEN EXISTS (SELECT 1 FROM json_each(\"Book\".\"tags\") AS \
         ommi_element WHERE ommi_element.value = ?1) END"
    );
    let overlaps = in_list(ListOperator::Overlaps, f("tags"), p(0));
    assert_eq!(
        text_of(overlaps, &[list_of(ValueType::Text)]),
        "CASE WHEN \"Book\".\"tags\" IS NOT NULL THEN EXISTS (SELECT 1 FROM json_each(\"Book\".\"tags\") AS \
         ommi_element JOIN json_each(?1) AS ommi_other ON ommi_element.value = ommi_other.value) END"
    );
    assert_eq!(text_of(eq(f("tags"), p(0)), &[list_of(ValueType::Text)]), r#""tags" = ?1"#);
    assert_eq!(
        text_of(lt(Expr::Length(Box::new(f("tags"))), p(0)), &[ValueType::I64]),
        r#"json_array_length("tags") < ?1"#
    );
}

#[test]
fn what_has_no_order_is_not_compared() {
    let statement = ommi_core::query::statement::Statement::Select(titles(lt(f("extra"), p(0))));
    let error = ommi_sql::render(&statement, &[ValueType::Json], &crate::dialect::SQLITE).unwrap_err();
    assert!(error.is_query(), "{error}");
}

#[test]
fn constants_are_quoted() {
    let quoted = |condition| text_of(condition, &[]);
    assert_eq!(quoted(eq(f("title"), text("it's; --"))), r#""title" = 'it''s; --'"#);
    assert_eq!(quoted(lt(f("pages"), Expr::Literal(Datum::Int(-1)))), r#""pages" < -1"#);
    assert_eq!(quoted(eq(f("price"), Expr::Literal(Datum::Decimal("1.5".parse().unwrap())))), r#""price" = '1.50'"#);
    assert_eq!(quoted(eq(f("sold"), Expr::Literal(Datum::UInt(u64::MAX)))), r#""sold" = '18446744073709551615'"#);
    assert_eq!(quoted(lt(f("weight"), Expr::Literal(Datum::Float(f64::INFINITY)))), r#""weight" < 9e999"#);
    assert_eq!(quoted(eq(f("mark"), Expr::Literal(Datum::Bytes([0, 255].into())))), r#""mark" = X'00ff'"#);
}
