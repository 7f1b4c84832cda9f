//! Libraries of documents: what is found, changed and refused, by hand; and against a plain list of documents that is scanned.

mod by_hand;
mod scanned;

use serde_json::Value;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::documents::{DocumentError, DocumentOp, Documents, Done, Filter, Find, IndexSpec, Update, Write};

/// A library, and every operation that made it.
#[derive(Default)]
struct Library {
    state: Documents,
    ops: Vec<DocumentOp>,
}

impl Library {
    fn with(documents: impl IntoIterator<Item = Value>) -> Self {
        let mut library = Self::default();
        library.write(Write::insert_many(documents)).unwrap();
        library
    }

    fn commit(&mut self, op: Option<DocumentOp>) {
        if let Some(op) = op {
            // As it comes back from a log.
            let op: DocumentOp = serde_json::from_str(&serde_json::to_string(&op).unwrap()).unwrap();
            self.state.apply(&op, at(self.ops.len()));
            self.ops.push(op);
        }
    }

    fn write(&mut self, write: Write) -> Result<Done, DocumentError> {
        let (op, done) = self.state.plan_write("c", &write)?;
        self.commit(op);
        Ok(done)
    }

    fn index(&mut self, spec: IndexSpec) -> Result<(), DocumentError> {
        let (op, ()) = self.state.plan_create_index("c", &spec)?;
        self.commit(op);
        Ok(())
    }

    fn all(&self) -> Vec<Value> {
        self.state.find("c", &Find::all()).unwrap()
    }

    fn ids(&self, filter: Value) -> Vec<Value> {
        let filter: Filter = serde_json::from_value(filter).unwrap();
        self.state.find("c", &Find::matching(filter)).unwrap().into_iter().map(|document| document["_id"].clone()).collect()
    }
}

fn at(n: usize) -> Instant {
    Instant::EPOCH + Duration::secs(n as i64)
}

fn filter(form: Value) -> Filter {
    Filter::parse(&form).unwrap()
}

fn update(form: Value) -> Update {
    Update::parse(&form).unwrap()
}
