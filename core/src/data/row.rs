//! A row as templates see it: an object whose attributes are the columns.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::table::Table;

/// A row of a table. It holds a number and shares the table; a cell is made a value when a template asks for it.
#[derive(Clone, Debug)]
pub struct Row {
    table: Arc<Table>,
    number: u64,
}

impl Row {
    /// A row by its number, from 0; `None` beyond the last.
    #[must_use]
    pub fn of(table: &Arc<Table>, number: u64) -> Option<Self> {
        (number < table.rows()).then(|| Self { table: Arc::clone(table), number })
    }

    /// The row as the value of a variable.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::from_object(self)
    }
}

impl Object for Row {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.table.value(self.number, self.table.column(key)?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.table.columns().iter().map(|name| Value::from(Arc::clone(name))).collect())
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, UndefinedBehavior, context};

    use super::*;
    use crate::data::{csv, json};

    fn render(row: Row, template: &str) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.render_str(template, context! { accounts => row.into_value() })
    }

    #[test]
    fn columns_are_attributes_and_unknown_ones_are_errors() {
        let table = Arc::new(csv::parse("f", b"name,full name\nann,Ann A\nbo,Bo B\n", b',').expect("a table"));
        let row = |number| Row::of(&table, number).expect("a row");
        assert_eq!(render(row(1), "{{ accounts.name }} {{ accounts['full name'] }}").expect("renders"), "bo Bo B");
        assert_eq!(
            render(row(0), "{{ accounts | tojson }}").expect("renders"),
            r#"{"name": "ann", "full name": "Ann A"}"#
        );
        assert!(render(row(0), "{{ accounts.mane }}").is_err());
        assert!(Row::of(&table, 2).is_none());
    }

    #[test]
    fn values_of_json_keep_their_types() {
        let table = Arc::new(json::parse("f", br#"[{"id": 41, "tags": ["x", "y"], "none": null}]"#).expect("a table"));
        let row = Row::of(&table, 0).expect("a row");
        assert_eq!(
            render(row, "{{ accounts.id + 1 }} {{ accounts.tags[1] }} {{ accounts.none is none }}").expect("renders"),
            "42 y True"
        );
    }
}
