//! Fields, expressions and orders, as immutable values.

use std::sync::Arc;

use ommi::query::condition::{Comparison, Condition, ListOperator, TextOperator};
use ommi::query::expr::{AggregateFunction, ArithmeticOperator, DatePart, Expr};
use ommi::query::{Direction, Nulls, OrderBy};
use ommi::value::json::{JsonCast, PathStep};
use ommi::value::{Datum, ValueType};
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

use crate::model::{ModelOf, model_of};
use crate::predicate::{Compared, Tree};
use crate::value::Codec;

/// A field of a model, or an expression over fields.
#[pyclass(frozen, weakref, module = "ommi._core", name = "ASTReferenceNode")]
pub(crate) struct Expression {
    /// Absent where a whole model is meant.
    pub(crate) expr: Option<Expr>,
    /// Absent for a count of rows.
    pub(crate) model: Option<Arc<ModelOf>>,
    pub(crate) codec: Arc<Codec>,
    pub(crate) field: Option<u16>,
    direction: Option<Direction>,
    nulls: Option<Nulls>,
}

fn is_text(codec: &Codec) -> bool {
    codec.value_type().is_text()
}

impl Expression {
    fn of(&self, expr: Expr, codec: Arc<Codec>) -> Expression {
        Expression { expr: Some(expr), model: self.model.clone(), codec, field: None, direction: None, nulls: None }
    }

    /// A whole model.
    pub(crate) fn whole(model: Arc<ModelOf>) -> Expression {
        let codec = Arc::new(Codec::Bool);
        Expression { expr: None, model: Some(model), codec, field: None, direction: None, nulls: None }
    }

    pub(crate) fn expr(&self) -> PyResult<&Expr> {
        self.expr.as_ref().ok_or_else(|| PyTypeError::new_err("a model stands for all its rows, not for a value"))
    }

    /// The order by the expression.
    pub(crate) fn order_by(&self) -> PyResult<OrderBy> {
        let expr = self.expr()?.clone();
        Ok(OrderBy { expr, direction: self.direction.unwrap_or_default(), nulls: self.nulls })
    }

    /// The name of the field.
    pub(crate) fn name_of(&self) -> PyResult<&str> {
        match (&self.model, self.field) {
            (Some(model), Some(field)) => Ok(model.def.field_name(field)),
            _ => Err(PyTypeError::new_err(format!("{} is not a field", self.shown()))),
        }
    }

    /// How messages call the expression.
    fn shown(&self) -> String {
        match (&self.model, self.field) {
            (Some(model), Some(field)) => format!("{}.{}", model.def.name(), model.def.field_name(field)),
            (Some(model), None) => format!("an expression of {}", model.def.name()),
            (None, _) => "count()".to_owned(),
        }
    }

    /// An exception with the expression that it is about.
    #[cold]
    fn about(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let message = format!("{}: {}", self.shown(), error.value(py));
        match error.get_type(py).call1((message,)) {
            Ok(named) => PyErr::from_value(named),
            Err(_) => error,
        }
    }

    /// What the expression is compared with or set to.
    pub(crate) fn operand(&self, value: &Bound<'_, PyAny>) -> PyResult<Expr> {
        if let Ok(other) = value.cast::<Expression>() {
            let other = other.get();
            match (&self.model, &other.model) {
                (Some(left), Some(right)) if !Arc::ptr_eq(left, right) => {
                    return Err(PyTypeError::new_err(format!(
                        "{} and {} are of two models: compare each with values, and let their reference join them",
                        self.shown(),
                        other.shown()
                    )));
                }
                _ => return other.expr().cloned(),
            }
        }
        let datum = self.codec.encode_operand(value).map_err(|error| self.about(value.py(), error))?;
        Ok(Expr::Literal(datum))
    }

    fn compare(
        slf: &Bound<'_, Self>,
        value: &Bound<'_, PyAny>,
        operator: Comparison,
        name: &'static str,
    ) -> PyResult<Compared> {
        let this = slf.get();
        let right = this.operand(value)?;
        let condition = Condition::compare(this.expr()?.clone(), operator, right);
        Ok(Compared::new(this.leaf(condition), slf.clone().into_any().unbind(), value.clone().unbind(), name))
    }

    fn leaf(&self, condition: Condition) -> Tree {
        Tree::Leaf(self.model.clone(), condition)
    }

    fn test(slf: &Bound<'_, Self>, condition: Condition, value: &Bound<'_, PyAny>, name: &'static str) -> Compared {
        Compared::new(slf.get().leaf(condition), slf.clone().into_any().unbind(), value.clone().unbind(), name)
    }

    fn text_test(
        slf: &Bound<'_, Self>,
        value: &Bound<'_, PyAny>,
        operator: TextOperator,
        negated: bool,
        name: &'static str,
    ) -> PyResult<Compared> {
        let this = slf.get();
        if !is_text(&this.codec) {
            return Err(PyTypeError::new_err(format!("{} is not text: {name} tests text", this.shown())));
        }
        let Ok(text) = value.cast::<PyString>() else {
            return Err(this.about(slf.py(), crate::error::wrong_type("a str", value)));
        };
        let pattern = Expr::Literal(Datum::Text(text.to_str()?.into()));
        let condition = Condition::Text { operator, expr: this.expr()?.clone(), pattern, negated };
        Ok(Self::test(slf, condition, value, name))
    }

    fn list_or_text(
        slf: &Bound<'_, Self>,
        value: &Bound<'_, PyAny>,
        negated: bool,
        name: &'static str,
    ) -> PyResult<Compared> {
        let this = slf.get();
        let Codec::List(item) = &*this.codec else {
            return Self::text_test(slf, value, TextOperator::Contains, negated, name);
        };
        let argument = Expr::Literal(item.encode(value).map_err(|error| this.about(slf.py(), error))?);
        let operator = ListOperator::Contains;
        let condition = Condition::List { operator, expr: this.expr()?.clone(), argument, negated };
        Ok(Self::test(slf, condition, value, name))
    }

    fn operands(&self, values: &Bound<'_, PyTuple>) -> PyResult<Vec<Expr>> {
        // one argument that is a collection, or several that are values
        let single = match values.len() {
            1 => {
                let only = values.get_item(0)?;
                let is_value = only.is_instance_of::<PyString>() || only.try_iter().is_err();
                if is_value { None } else { Some(only) }
            }
            _ => None,
        };
        match single {
            Some(all) => all.try_iter()?.map(|value| self.operand(&value?)).collect(),
            None => values.iter().map(|value| self.operand(&value)).collect(),
        }
    }

    fn arithmetic(
        &self,
        value: &Bound<'_, PyAny>,
        operator: ArithmeticOperator,
        swapped: bool,
    ) -> PyResult<Expression> {
        let of = self.codec.value_type();
        if !of.is_number() {
            return Err(PyTypeError::new_err(format!("{} is not a number, and has no arithmetic", self.shown())));
        }
        let (mut left, mut right) = (self.expr()?.clone(), self.operand(value)?);
        if swapped {
            std::mem::swap(&mut left, &mut right);
        }
        let codec = match (&self.codec.value_type(), value.cast::<Expression>()) {
            (ValueType::Decimal(_), _) => Arc::new(Codec::Decimal(None)),
            (_, Ok(other)) if other.get().codec.value_type().is_decimal() => Arc::new(Codec::Decimal(None)),
            (of, _) => Arc::new(Codec::of_type(of)),
        };
        let value_type = codec.value_type();
        let expr = Expr::Arithmetic { operator, left: Box::new(left), right: Box::new(right), value_type };
        Ok(self.of(expr, codec))
    }

    fn date_part(&self, part: DatePart) -> PyResult<Expression> {
        let of = self.codec.value_type();
        let has_date = matches!(of, ValueType::Date | ValueType::DateTime | ValueType::Timestamp);
        let has_time = matches!(of, ValueType::Time | ValueType::DateTime | ValueType::Timestamp);
        let fits = match part {
            DatePart::Year | DatePart::Month | DatePart::Day | DatePart::Weekday => has_date,
            DatePart::Hour | DatePart::Minute | DatePart::Second => has_time,
        };
        if !fits {
            return Err(pyo3::exceptions::PyAttributeError::new_err(format!("{} has no such part", self.shown())));
        }
        let expr = Expr::DatePart { part, of: Box::new(self.expr()?.clone()) };
        Ok(self.of(expr, Arc::new(Codec::Int(ValueType::I64))))
    }

    fn aggregate(&self, function: AggregateFunction, distinct: bool) -> PyResult<Expression> {
        let of = self.codec.value_type();
        let fits = match function {
            AggregateFunction::Count => true,
            AggregateFunction::Sum | AggregateFunction::Avg => of.is_number(),
            AggregateFunction::Min | AggregateFunction::Max => of.is_ordered(),
        };
        if !fits {
            return Err(PyTypeError::new_err(format!("{} of type {of} has no {}", self.shown(), function.name())));
        }
        let codec = match (function, &of) {
            (AggregateFunction::Min | AggregateFunction::Max, _) => Arc::clone(&self.codec),
            (AggregateFunction::Count, _) => Arc::new(Codec::Int(ValueType::I64)),
            (AggregateFunction::Sum, of) if of.is_integer() => Arc::new(Codec::Int(ValueType::I64)),
            (_, of) if of.is_float() => Arc::new(Codec::Float),
            _ => Arc::new(Codec::Decimal(None)),
        };
        let expr = Expr::Aggregate { function, of: Some(Box::new(self.expr()?.clone())), distinct };
        Ok(self.of(expr, codec))
    }

    fn json(&self, cast: JsonCast) -> PyResult<Expression> {
        let codec = Arc::new(match cast {
            JsonCast::Text => Codec::Text,
            JsonCast::Int => Codec::Int(ValueType::I64),
            JsonCast::Float => Codec::Float,
            JsonCast::Bool => Codec::Bool,
            JsonCast::Json => Codec::Json { dump: None, load: None },
        });
        match self.expr()? {
            Expr::JsonPath { of, path, .. } => {
                Ok(self.of(Expr::JsonPath { of: of.clone(), path: path.clone(), cast }, codec))
            }
            _ => Err(PyTypeError::new_err(format!("{} is no path into a document: write `[..]` first", self.shown()))),
        }
    }

    fn ordered(&self, direction: Direction) -> PyResult<Expression> {
        if !self.codec.value_type().is_ordered() {
            return Err(PyTypeError::new_err(format!("{} has no order", self.shown())));
        }
        Ok(Expression { direction: Some(direction), nulls: self.nulls, field: self.field, ..self.copy() })
    }

    fn copy(&self) -> Expression {
        Expression {
            expr: self.expr.clone(),
            model: self.model.clone(),
            codec: Arc::clone(&self.codec),
            field: self.field,
            direction: self.direction,
            nulls: self.nulls,
        }
    }
}

/// The number of rows, for groups and aggregates.
#[pyfunction]
pub(crate) fn count() -> Expression {
    Expression {
        expr: Some(Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }),
        model: None,
        codec: Arc::new(Codec::Int(ValueType::I64)),
        field: None,
        direction: None,
        nulls: None,
    }
}

/// The field of a model by its name.
#[pyfunction]
pub(crate) fn field(model: &Bound<'_, PyAny>, name: &str) -> PyResult<Expression> {
    let model = match model.cast::<crate::model::Model>() {
        Ok(model) => Arc::clone(&model.get().0),
        Err(_) => model_of(model)?,
    };
    let index = model.index_of(name)?;
    let codec = model.fields.get(usize::from(index)).map(|field| Arc::clone(&field.codec));
    Ok(Expression {
        expr: Some(Expr::Field(index)),
        codec: codec.unwrap_or_else(|| Arc::new(Codec::Text)),
        model: Some(model),
        field: Some(index),
        direction: None,
        nulls: None,
    })
}

#[pymethods]
impl Expression {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("field", "model")
    }

    /// The field's metadata, as the model's `__ommi__.fields` has it; `None` for a whole model.
    #[getter]
    fn field<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (Some(model), Some(field)) = (&self.model, self.field) else { return Ok(None) };
        let fields = model.class.bind(py).getattr(intern!(py, "__ommi__"))?.getattr(intern!(py, "fields"))?;
        fields.get_item(model.def.field_name(field)).map(Some)
    }

    /// The field's name.
    #[getter]
    fn name(&self) -> Option<&str> {
        Some(self.model.as_ref()?.def.field_name(self.field?))
    }

    /// The model's class.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.model.as_ref().map(|model| model.class.bind(py).clone().into_any())
    }

    /// Upwards or downwards.
    #[getter]
    fn ordering<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = match self.direction {
            Some(Direction::Descending) => "DESCENDING",
            _ => "ASCENDING",
        };
        py.import("ommi.query_ast")?.getattr("ResultOrdering")?.getattr(name)
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        value: &Bound<'_, PyAny>,
        operator: pyo3::basic::CompareOp,
    ) -> PyResult<Py<PyAny>> {
        use pyo3::basic::CompareOp;
        if slf.get().expr.is_none() {
            // a model that stands for its rows is compared as every object is
            return Ok(slf.py().NotImplemented());
        }
        let (operator, name) = match operator {
            CompareOp::Eq => (Comparison::Eq, "EQUALS"),
            CompareOp::Ne => (Comparison::Ne, "NOT_EQUALS"),
            CompareOp::Lt => (Comparison::Lt, "LESS_THAN"),
            CompareOp::Le => (Comparison::Le, "LESS_THAN_OR_EQUAL"),
            CompareOp::Gt => (Comparison::Gt, "GREATER_THAN"),
            CompareOp::Ge => (Comparison::Ge, "GREATER_THAN_OR_EQUAL"),
        };
        Ok(Bound::new(slf.py(), Self::compare(slf, value, operator, name)?)?.into_any().unbind())
    }

    fn __hash__(&self) -> isize {
        let model = self.model.as_ref().map_or(0, |model| model.def.id());
        let field = self.field.map_or(usize::MAX, usize::from);
        let direction = usize::from(self.direction == Some(Direction::Descending));
        (field.wrapping_mul(31).wrapping_add(model as usize).wrapping_mul(2).wrapping_add(direction) & 0x7fff_ffff)
            as isize
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err(format!(
            "{} has no truth value: compare it with something, and use `&`, `|` and `~`",
            self.shown()
        )))
    }

    fn __repr__(&self) -> String {
        let shown = self.shown();
        match self.direction {
            Some(Direction::Descending) => format!("<{shown}, descending>"),
            _ => format!("<{shown}>"),
        }
    }

    /// The field itself on the class; an instance that has no such attribute lacks it.
    fn __get__(
        slf: Py<Self>,
        py: Python<'_>,
        instance: Option<&Bound<'_, PyAny>>,
        _owner: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Self>> {
        match instance {
            Some(_) => Err(pyo3::exceptions::PyAttributeError::new_err(
                slf.bind(py).get().name().unwrap_or_default().to_owned(),
            )),
            None => Ok(slf),
        }
    }

    /// The expression itself: `.asc()` is `.asc`.
    fn __call__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// From the least to the greatest, null lowest.
    #[getter]
    fn asc(&self) -> PyResult<Expression> {
        self.ordered(Direction::Ascending)
    }

    /// From the greatest to the least, null lowest.
    #[getter]
    fn desc(&self) -> PyResult<Expression> {
        self.ordered(Direction::Descending)
    }

    /// Nulls before all values.
    fn nulls_first(&self) -> Expression {
        Expression { nulls: Some(Nulls::First), ..self.copy() }
    }

    /// Nulls after all values.
    fn nulls_last(&self) -> Expression {
        Expression { nulls: Some(Nulls::Last), ..self.copy() }
    }

    /// The value is one of some; `None` among them means null.
    #[pyo3(signature = (*values))]
    fn in_(slf: &Bound<'_, Self>, values: &Bound<'_, PyTuple>) -> PyResult<Compared> {
        let this = slf.get();
        let condition = Condition::is_in(this.expr()?.clone(), this.operands(values)?);
        Ok(Self::test(slf, condition, values.as_any(), "IN"))
    }

    /// The value is none of some; `None` among them means not null.
    #[pyo3(signature = (*values))]
    fn not_in(slf: &Bound<'_, Self>, values: &Bound<'_, PyTuple>) -> PyResult<Compared> {
        let this = slf.get();
        let condition = Condition::is_not_in(this.expr()?.clone(), this.operands(values)?);
        Ok(Self::test(slf, condition, values.as_any(), "NOT_IN"))
    }

    /// The text has the argument in it, or the list has it as an element.
    fn contains(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::list_or_text(slf, value, false, "CONTAINS")
    }

    /// The text does not have the argument in it, or the list has no such element.
    fn not_contains(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::list_or_text(slf, value, true, "NOT_CONTAINS")
    }

    /// The list shares an element with another.
    fn overlaps(slf: &Bound<'_, Self>, values: &Bound<'_, PyAny>) -> PyResult<Compared> {
        let this = slf.get();
        if !matches!(&*this.codec, Codec::List(_)) {
            return Err(PyTypeError::new_err(format!("{} is not a list", this.shown())));
        }
        let argument = Expr::Literal(this.codec.encode(values).map_err(|error| this.about(slf.py(), error))?);
        let expr = this.expr()?.clone();
        let condition = Condition::List { operator: ListOperator::Overlaps, expr, argument, negated: false };
        Ok(Self::test(slf, condition, values, "OVERLAPS"))
    }

    fn startswith(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::StartsWith, false, "STARTS_WITH")
    }

    fn starts_with(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::StartsWith, false, "STARTS_WITH")
    }

    fn endswith(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::EndsWith, false, "ENDS_WITH")
    }

    fn ends_with(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::EndsWith, false, "ENDS_WITH")
    }

    fn icontains(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IContains, false, "ICONTAINS")
    }

    fn istartswith(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IStartsWith, false, "ISTARTS_WITH")
    }

    fn istarts_with(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IStartsWith, false, "ISTARTS_WITH")
    }

    fn iendswith(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IEndsWith, false, "IENDS_WITH")
    }

    fn iends_with(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IEndsWith, false, "IENDS_WITH")
    }

    fn ieq(slf: &Bound<'_, Self>, text: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, text, TextOperator::IEq, false, "IEQUALS")
    }

    /// The whole text matches a pattern of `%` and `_`; `\` escapes.
    fn like(slf: &Bound<'_, Self>, pattern: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, pattern, TextOperator::Like, false, "LIKE")
    }

    fn not_like(slf: &Bound<'_, Self>, pattern: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, pattern, TextOperator::Like, true, "NOT_LIKE")
    }

    fn ilike(slf: &Bound<'_, Self>, pattern: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, pattern, TextOperator::ILike, false, "ILIKE")
    }

    /// A match of a regular expression is in the text.
    fn regex(slf: &Bound<'_, Self>, pattern: &Bound<'_, PyAny>) -> PyResult<Compared> {
        Self::text_test(slf, pattern, TextOperator::Regex, false, "REGEX")
    }

    /// At least `low` and at most `high`.
    fn between(slf: &Bound<'_, Self>, low: &Bound<'_, PyAny>, high: &Bound<'_, PyAny>) -> PyResult<Compared> {
        let this = slf.get();
        let from = Condition::compare(this.expr()?.clone(), Comparison::Ge, this.operand(low)?);
        let to = Condition::compare(this.expr()?.clone(), Comparison::Le, this.operand(high)?);
        let bounds = PyTuple::new(slf.py(), [low, high])?;
        Ok(Self::test(slf, from.and(to), bounds.as_any(), "BETWEEN"))
    }

    fn is_null(slf: &Bound<'_, Self>) -> PyResult<Compared> {
        let condition = Condition::IsNull { expr: slf.get().expr()?.clone(), negated: false };
        Ok(Self::test(slf, condition, slf.py().None().bind(slf.py()), "EQUALS"))
    }

    fn is_not_null(slf: &Bound<'_, Self>) -> PyResult<Compared> {
        let condition = Condition::IsNull { expr: slf.get().expr()?.clone(), negated: true };
        Ok(Self::test(slf, condition, slf.py().None().bind(slf.py()), "NOT_EQUALS"))
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Add, false)
    }

    fn __radd__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Add, true)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Subtract, false)
    }

    fn __rsub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Subtract, true)
    }

    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Multiply, false)
    }

    fn __rmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Multiply, true)
    }

    fn __truediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Divide, false)
    }

    fn __rtruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Divide, true)
    }

    fn __mod__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Remainder, false)
    }

    fn __rmod__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::Remainder, true)
    }

    fn bit_and(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::BitAnd, false)
    }

    fn bit_or(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::BitOr, false)
    }

    fn bit_xor(&self, other: &Bound<'_, PyAny>) -> PyResult<Expression> {
        self.arithmetic(other, ArithmeticOperator::BitXor, false)
    }

    #[getter]
    fn year(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Year)
    }

    #[getter]
    fn month(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Month)
    }

    #[getter]
    fn day(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Day)
    }

    /// The day of the week, Monday 1 to Sunday 7.
    #[getter]
    fn weekday(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Weekday)
    }

    #[getter]
    fn hour(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Hour)
    }

    #[getter]
    fn minute(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Minute)
    }

    #[getter]
    fn second(&self) -> PyResult<Expression> {
        self.date_part(DatePart::Second)
    }

    /// The number of elements of a list.
    fn length(&self) -> PyResult<Expression> {
        match &*self.codec {
            Codec::List(_) => {
                let expr = Expr::Length(Box::new(self.expr()?.clone()));
                Ok(self.of(expr, Arc::new(Codec::Int(ValueType::I64))))
            }
            _ => Err(PyTypeError::new_err(format!("{} is not a list", self.shown()))),
        }
    }

    /// The part of a JSON document at a member's name or an element's index.
    fn __getitem__(&self, step: &Bound<'_, PyAny>) -> PyResult<Expression> {
        let step = match step.cast::<PyString>() {
            Ok(key) => PathStep::Key(key.to_str()?.into()),
            Err(_) if step.is_instance_of::<PyInt>() => {
                PathStep::Index(step.extract().map_err(|_| PyIndexError::new_err("an element is counted from 0"))?)
            }
            Err(_) => return Err(crate::error::wrong_type("a member's name or an element's index", step)),
        };
        let (of, mut path) = match self.expr()? {
            Expr::JsonPath { of, path, .. } => (of.clone(), path.clone()),
            expr if self.codec.value_type() == ValueType::Json => (Box::new(expr.clone()), Vec::new()),
            _ => return Err(PyTypeError::new_err(format!("{} is not a JSON document", self.shown()))),
        };
        path.push(step);
        let expr = Expr::JsonPath { of, path, cast: JsonCast::Json };
        Ok(self.of(expr, Arc::new(Codec::Json { dump: None, load: None })))
    }

    // `__getitem__` alone would make an expression iterable without end
    fn __iter__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(format!("{} is not iterable", self.shown())))
    }

    /// The string at the path; null where there is another value.
    fn as_text(&self) -> PyResult<Expression> {
        self.json(JsonCast::Text)
    }

    /// The integer at the path; null where there is another value.
    fn as_int(&self) -> PyResult<Expression> {
        self.json(JsonCast::Int)
    }

    /// The number at the path; null where there is another value.
    fn as_float(&self) -> PyResult<Expression> {
        self.json(JsonCast::Float)
    }

    /// The boolean at the path; null where there is another value.
    fn as_bool(&self) -> PyResult<Expression> {
        self.json(JsonCast::Bool)
    }

    /// The exact sum; null where there are no values.
    fn sum(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Sum, false)
    }

    /// The mean; null where there are no values.
    fn avg(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Avg, false)
    }

    fn min(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Min, false)
    }

    fn max(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Max, false)
    }

    /// How many values are not null.
    fn count(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Count, false)
    }

    /// How many different values there are.
    fn count_distinct(&self) -> PyResult<Expression> {
        self.aggregate(AggregateFunction::Count, true)
    }
}
