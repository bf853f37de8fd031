//! Variables in texts.

use super::machine::Machine;

fn node_id(machine: &Machine, text: &str) -> Result<String, Vec<String>> {
    let text = format!("worker: {{ identity: {{ node_id: {text} }} }}");
    machine.read(&text)?;
    Ok(machine.worker(&text).node_id)
}

#[test]
fn variables_and_defaults() {
    let machine = Machine::default().variable("ZONE", "a").variable("EMPTY", "").variable("N", "0012");
    for (text, expected) in [
        ("\"${ZONE}\"", "a"),
        ("\"w-${ZONE}-${ZONE}\"", "w-a-a"),
        ("\"${ZONE:-b}\"", "a"),
        ("\"${EMPTY:-b}\"", "b"),
        ("\"${NONE:-b:-c}\"", "b:-c"),
        ("\"x${NONE:-}\"", "x"),
        ("\"${HOSTNAME}\"", "machine"),
        ("\"$${ZONE}\"", "${ZONE}"),
        ("\"$ZONE $$ {ZONE}\"", "$ZONE $$ {ZONE}"),
        ("\"${N}\"", "0012"),
    ] {
        assert_eq!(node_id(&machine, text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_replaced_is_told_with_its_place() {
    let at = "etc/c.yml:1:32: worker.identity.node_id: ";
    for (text, message) in [
        ("\"${NONE}\"", "the variable NONE is not set; set it, or give a default: `${NONE:-default}`"),
        ("\"${NONE\"", "`${` without its `}`; write `$${` for the characters"),
        ("\"${}\"", "between `${` and `}` stands no name of a variable; write `$${` for the characters"),
        ("\"${1A}\"", "between `${` and `}` stands no name of a variable; write `$${` for the characters"),
        ("\"${A:-${B}}\"", "the default of `${A}` cannot hold a variable itself"),
    ] {
        assert_eq!(node_id(&Machine::default(), text), Err(vec![format!("{at}{message}")]), "{text}");
    }
}

#[test]
fn a_variable_may_be_a_number_or_a_switch() {
    let machine = Machine::default().variable("PORT", "6000").variable("ON", "true");
    let text = "master: { web: { port: '${PORT}' }, bind: { port: '${OTHER:-7000}' }, drills: { enabled: '${ON}' } }";
    let config = machine.master(text, "");
    assert_eq!((config.web.port, config.bind.port, config.drills_enabled), (6_000, 7_000, true));
    let problems = machine.variable("PORT", "many").problems(text);
    assert_eq!(problems, ["1:24: master.web.port: found the text \"many\", expected a whole number from 0 to 65535"]);
}
