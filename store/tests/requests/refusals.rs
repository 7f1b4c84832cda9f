//! What the pool and the queue refuse, and how they say so.

use stillpoint_engine::JobPanic;
use stillpoint_store::request::{Kind, NotRunning, Queue, RequestError, Scope};

use crate::kit::{LONG, claim, pool};
use crate::memory::{ListSymbols, Memory};

#[test]
fn a_request_is_waited_for_where_it_was_submitted() {
    let (here, there, library) = (pool(1), pool(1), Memory::new("prices"));
    let request = there.submit(&library, ListSymbols).expect("an open pool");
    let error = here.wait(&request, LONG).expect_err("another pool's");
    assert!(matches!(error, RequestError::OtherPool { request: id } if id == request.info().id()));
    assert_eq!(error.to_string(), "request #1 belongs to another pool; wait for it where it was submitted");
    there.wait(&request, LONG).expect("its own pool");
}

#[test]
fn a_request_is_finished_once_and_after_its_start() {
    let mut queue = Queue::new();
    let id = queue.submit(claim("prices", Scope::Library, Kind::Modify));
    let before = queue.clone();
    assert_eq!((queue.finish(id), &queue), (Err(NotRunning(id)), &before));
    assert_eq!(queue.start(), Some(id));
    assert_eq!(queue.finish(id), Ok(vec![]));
    assert_eq!(queue.finish(id), Err(NotRunning(id)));
    assert_eq!(
        NotRunning(id).to_string(),
        "request #1 is not running in this queue: finish each request once, after `start` has returned it"
    );
    assert_eq!((queue.stage(id), queue.claim(id), queue.needed_for([id]), queue.is_empty()), (None, None, [].into(), true));
    assert_eq!((queue.start_among(&[id].into()), queue.start()), (None, None));
}

#[test]
fn errors_have_one_base_and_say_what_to_do() {
    fn shown(error: &(dyn std::error::Error + Send + Sync)) -> String {
        error.to_string()
    }
    let mut queue = Queue::new();
    let request = queue.submit(claim("prices", Scope::Library, Kind::Read));
    let operation = "`read` of `A` in library `prices`".to_owned();
    let panicked = RequestError::Panicked { request, operation, panic: JobPanic("no 7".to_owned()) };
    assert_eq!(
        shown(&panicked),
        "request #1, `read` of `A` in library `prices`: the job panicked: no 7; this is a fault of the operation, and other requests go on"
    );
    assert_eq!(shown(&RequestError::NotShutDown), "the end of a pool was awaited that takes requests; call `shutdown` first");
}

#[test]
fn scopes_and_kinds_are_shown_as_people_say_them() {
    let shown = [Scope::Library, Scope::symbols(["B", "A"]), Scope::symbols([""; 0])].map(|scope| scope.to_string());
    assert_eq!(shown, ["all symbols", "`A`, `B`", "no symbol"]);
    assert_eq!([Kind::Read, Kind::Modify].map(|kind| kind.to_string()), ["read", "modify"]);
    assert_eq!(
        [Scope::symbols(["B", "A"]).only_symbol(), Scope::symbol("A").only_symbol(), Scope::Library.only_symbol()],
        [None, Some("A"), None]
    );
}
