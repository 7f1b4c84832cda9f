//! What kinds say of things that several of them share. Invariant: of one fact there is one value in a scenario, or an error that names
//! both who say otherwise.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::scene_error::SceneError;

/// Facts by their subject and name, each with who said it first.
#[derive(Default)]
pub(crate) struct Facts {
    said: RefCell<BTreeMap<(String, String), Said>>,
}

struct Said {
    value: String,
    by: String,
}

impl Facts {
    /// Keeps what `by` says of a subject.
    pub(crate) fn state(&self, by: &str, subject: &str, facts: &[(&str, String)]) -> Result<(), SceneError> {
        let mut said = self.said.borrow_mut();
        for (fact, value) in facts {
            let first = said.entry((subject.to_owned(), (*fact).to_owned()));
            let Said { value: other, by: who } = first.or_insert_with(|| Said { value: value.clone(), by: by.to_owned() });
            if other != value {
                let error = SceneError::new(format!("`{fact}` of {subject} is {value} at `{by}`, but {other} at `{who}`"));
                return Err(error.with_help(format!("say the same of {subject} wherever it is declared; what is left out has its default")));
            }
        }
        Ok(())
    }
}
