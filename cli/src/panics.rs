//! Panics: kept for the errors that name them, instead of printed by the standard library.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What has panicked: text and place.
static SEEN: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn seen() -> MutexGuard<'static, Vec<(String, String)>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something whose panics are noted and not printed. The engine turns those of handlers into errors; one that comes through is a defect.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}:{}", place.file(), place.line(), place.column()));
        let seen = (text_of(info.payload()), place.unwrap_or_default());
        self::seen().push(seen);
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(before);
    result.map_err(|payload| {
        let text = text_of(payload.as_ref());
        let place = place_of(&text).unwrap_or_default();
        format!("defect at {place}: {text}; please report it with what you ran")
    })
}

/// Where the last panic with this text happened.
pub(crate) fn place_of(text: &str) -> Option<String> {
    seen().iter().rev().find(|(seen, _)| seen == text).map(|(_, place)| place.clone())
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_kept_with_its_place() {
        let failed = quietly(|| panic!("out of {}", "luck"));
        assert!(failed.is_err_and(|text: String| text.contains("out of luck") && text.contains("panics.rs:")));
        assert!(place_of("out of luck").is_some_and(|place| place.contains("panics.rs:")));
        assert_eq!(place_of("never said"), None);
    }
}
