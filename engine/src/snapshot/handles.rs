//! Handles as values: an address is the path it stands for, a timer, a job or a task its owner and number. Invariant: a handle means the same
//! after a restore as before, also one whose timer, job or task is over.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::scope::{restoring, taking};
use crate::actor::Actor;
use crate::address::{Addr, Recipient, StreamRef};
use crate::ask::Responder;
use crate::context::Timer;
use crate::job::JobId;
use crate::kernel::entry::{ActorId, no_thunk};
use crate::message::Message;
use crate::task::{Inbox, Task};

type Text<'de> = Cow<'de, str>;

fn path_of<S: Serializer>(id: ActorId) -> Result<String, S::Error> {
    Ok(taking::<S::Error>()?.cast.member(id).path.clone())
}

impl<A> Serialize for Addr<A> {
    /// As the path.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path_of::<S>(self.id)?)
    }
}

impl<'de, A: Actor> Deserialize<'de> for Addr<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = <Text<'de>>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let id = scope.find::<D::Error>(&path)?;
        let member = scope.cast.member(id);
        match member.of {
            Some((of, name)) if of != TypeId::of::<A>() => {
                let wanted = std::any::type_name::<A>();
                Err(de::Error::custom(format!("`{path}` is of type `{name}`, and an address of type `{wanted}` was kept")))
            }
            _ => Ok(Self::new(id, member.digest)),
        }
    }
}

impl<M> Serialize for StreamRef<M> {
    /// As the path.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path_of::<S>(self.id)?)
    }
}

impl<'de, M: Message> Deserialize<'de> for StreamRef<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = <Text<'de>>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let id = scope.find::<D::Error>(&path)?;
        let member = scope.cast.member(id);
        if member.events != Some(TypeId::of::<M>()) {
            return Err(de::Error::custom(format!("`{path}` is no stream of `{}`", M::KIND)));
        }
        Ok(Self::new(id, member.digest))
    }
}

impl<M: Message> Serialize for Recipient<M> {
    /// As the path. The actor must declare that it takes such messages.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = taking::<S::Error>()?;
        let member = scope.cast.member(self.id);
        let declared = member.table.as_ref().is_some_and(|table| table.message_of(TypeId::of::<M>()).is_some());
        if member.living && !declared && !scope.cast.is_foreign(self.id) {
            return Err(ser::Error::custom(format!(
                "a recipient of `{}` was kept, and `{}` does not declare that it takes them; add `.message::<..>()` to its `Actor::saving`",
                M::KIND,
                member.path
            )));
        }
        serializer.serialize_str(&member.path)
    }
}

impl<'de, M: Message> Deserialize<'de> for Recipient<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = <Text<'de>>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let id = scope.find::<D::Error>(&path)?;
        let member = scope.cast.member(id);
        let declared = member.table.as_ref().and_then(|table| table.message_of(TypeId::of::<M>())).map(|kind| kind.thunk);
        match declared {
            Some(thunk) => Ok(Self::new(id, member.digest, thunk)),
            // What is sent to it is a dead letter, whatever its type.
            None if !member.living => Ok(Self::new(id, member.digest, no_thunk)),
            None => Err(de::Error::custom(format!("`{path}` does not declare that it takes `{}`", M::KIND))),
        }
    }
}

impl Serialize for Timer {
    /// As the owner's path, the number that arming it drew, and the number under which it is pending.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = taking::<S::Error>()?;
        let pending = self.node.and_then(|node| scope.armed.get(&(node.index, node.generation)));
        (&scope.cast.member(self.owner).path, self.seq, pending).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, seq, pending) = <(Text<'de>, u64, Option<u64>)>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let owner = scope.find::<D::Error>(&path)?;
        let node = pending.and_then(|pending| scope.timers.get(&(owner, pending)).copied());
        Ok(Self { owner, seq, node })
    }
}

impl Serialize for JobId {
    /// As the owner's path and the number that submitting it drew.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (owner, seq) = self.key();
        (path_of::<S>(owner)?, seq).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, seq) = <(Text<'de>, u64)>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let key = (scope.find::<D::Error>(&path)?, seq);
        Ok(Self::new(key, scope.jobs.get(&key).copied()))
    }
}

impl Serialize for Task {
    /// As the owner's path and the task's number. The task is over: else its actor is not saved.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (owner, number) = self.key();
        (path_of::<S>(owner)?, number).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, number) = <(Text<'de>, u64)>::deserialize(deserializer)?;
        let owner = restoring::<D::Error>()?.find::<D::Error>(&path)?;
        Ok(Self::over((owner, number)))
    }
}

impl<T: Serialize + 'static> Serialize for Inbox<T> {
    /// As the owner's path, the inbox's number, and the values in it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = taking::<S::Error>()?;
        let Some((owner, number, values)) = scope.inboxes.look(*self) else {
            return Err(ser::Error::custom("an inbox of another run was kept"));
        };
        (&scope.cast.member(owner).path, number, values).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + 'static> Deserialize<'de> for Inbox<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (path, number, values) = <(Text<'de>, u32, VecDeque<T>)>::deserialize(deserializer)?;
        let scope = restoring::<D::Error>()?;
        let owner = scope.find::<D::Error>(&path)?;
        // Several handles of one inbox bring its values several times.
        if let Some(known) = scope.renumbered.borrow().get(&(owner, number)) {
            return Ok(Self::new(*known));
        }
        let inbox = scope.inboxes.borrow_mut().resume(owner, number, values);
        scope.renumbered.borrow_mut().insert((owner, number), inbox.index());
        Ok(inbox)
    }
}

impl<R> Serialize for Responder<R> {
    /// Refuses: an answer that is owed cannot be saved. A state that may hold one can be saved while it holds none.
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("it holds a question that it has not answered"))
    }
}

impl<'de, R> Deserialize<'de> for Responder<R> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a question that was not answered cannot be read"))
    }
}
