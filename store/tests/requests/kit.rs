//! Pools, clocks and operations that tests hold in their hands. No test sleeps: what must come first is awaited through channels.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::request::{Call, Claim, Kind, Named, Request, RequestError, RequestPool, Scope};

/// The sizes of pools that everything must hold for.
pub(crate) const SIZES: [usize; 4] = [0, 1, 2, 8];

/// Long enough for anything that ends.
pub(crate) const LONG: Option<Duration> = Some(Duration::secs(300));

/// Over before a closed gate opens.
pub(crate) const SHORT: Option<Duration> = Some(Duration::millis(2));

pub(crate) const NONE: Option<Duration> = Some(Duration::ZERO);

/// A clock that stands still until it is set.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn set(&self, nanos: i64) {
        self.0.store(nanos, Ordering::SeqCst);
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.0.fetch_add(duration.as_nanos(), Ordering::SeqCst);
    }

    pub(crate) fn pool(&self, size: usize) -> RequestPool {
        let hands = self.0.clone();
        RequestPool::new(size, Arc::new(move || Instant::from_nanos(hands.load(Ordering::SeqCst))))
    }
}

/// A pool whose clock stands still.
pub(crate) fn pool(size: usize) -> RequestPool {
    Hands::default().pool(size)
}

pub(crate) fn claim(library: &str, scope: Scope, kind: Kind) -> Claim {
    Claim { library: library.to_owned(), scope, kind }
}

/// A request whose operation says that it has begun, and ends when it is let go.
pub(crate) struct Gate {
    pub(crate) request: Request<()>,
    began: Receiver<()>,
    open: SyncSender<()>,
}

impl Gate {
    /// Submits it to `pool`.
    pub(crate) fn submit<L: Named + Send + Sync + 'static>(pool: &RequestPool, library: &Arc<L>, kind: Kind, scope: Scope) -> Self {
        let (tell, began) = sync_channel(1);
        let (open, opened) = sync_channel::<()>(1);
        let operation = move |_: &L| {
            tell.send(()).expect("the test waits");
            // A test that fails drops the gate, which opens it.
            let _ = opened.recv();
            Ok::<_, Infallible>(())
        };
        let request = pool.submit(library, Call::new("gate", kind, scope, operation)).expect("an open pool");
        Self { request, began, open }
    }

    pub(crate) fn read<L: Named + Send + Sync + 'static>(pool: &RequestPool, library: &Arc<L>, symbol: &str) -> Self {
        Self::submit(pool, library, Kind::Read, Scope::symbol(symbol))
    }

    pub(crate) fn modify<L: Named + Send + Sync + 'static>(pool: &RequestPool, library: &Arc<L>, symbol: &str) -> Self {
        Self::submit(pool, library, Kind::Modify, Scope::symbol(symbol))
    }

    /// Waits until the operation has begun.
    pub(crate) fn began(self) -> Self {
        self.began.recv().expect("the operation begins");
        self
    }

    pub(crate) fn open(&self) {
        self.open.send(()).expect("the operation waits");
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    /// Submits an operation that does nothing but say its name here.
    pub(crate) fn note<L: Named + Send + Sync + 'static>(
        &self,
        pool: &RequestPool,
        library: &Arc<L>,
        name: &str,
        kind: Kind,
        scope: Scope,
    ) -> Request<()> {
        let (log, line) = (self.clone(), name.to_owned());
        let operation = move |_: &L| {
            log.add(line);
            Ok::<_, Infallible>(())
        };
        pool.submit(library, Call::new(name, kind, scope, operation)).expect("an open pool")
    }
}

/// Shows that the pool serves what is due while everything in `held` is not: with a thread free, a request for a symbol of its own, submitted
/// later, is run, and since what is due starts in order, `held` would have begun before it.
pub(crate) fn assert_held<L: Named + Send + Sync + 'static, T>(pool: &RequestPool, library: &Arc<L>, held: &[&Request<T>]) {
    let probe = Log::default().note(pool, library, "probe", Kind::Read, Scope::symbol("a symbol of its own"));
    pool.wait(&probe, LONG).expect("a free thread");
    for request in held {
        assert!(!request.running() && !request.completed(), "{} has begun", request.info());
    }
}

/// How many requests had not ended when the time-out passed.
pub(crate) fn timed_out<T: std::fmt::Debug>(result: Result<T, RequestError>) -> usize {
    match result {
        Err(RequestError::RequestDuration { pending, .. }) => pending,
        other => panic!("no time-out: {other:?}"),
    }
}
