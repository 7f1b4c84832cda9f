//! The records of deliveries: counted, chained, summed up, and shown to an observer. Invariant: an observer, or none, changes no chain.

use crate::digest::{digest_of, digest_of_text, fold};
use crate::kernel::core::{Core, Life};
use crate::kernel::entry::{ActorId, Entry, NONE};
use crate::kernel::kinds::Kind;
use crate::message::Message;
use crate::time::Instant;
use crate::trace::{Observer, TraceHash, TraceRecord};

impl Core {
    /// Counts a delivery, chains its record, and makes it the cause of what follows.
    #[inline(always)]
    fn record(&mut self, entry: &Entry, kind: &'static str, kind_digest: u64, digest: u64) {
        let word = self.word(entry.from, entry.cause, kind_digest, digest);
        self.record_word(entry.to, kind, word);
    }

    /// One word for everything in a record but the receiver and its count, which the chain stands for: the same for all who share a message.
    #[inline(always)]
    pub(crate) fn word(&self, sender: ActorId, cause: u64, kind_digest: u64, digest: u64) -> u64 {
        let sender = self.hot[sender.index()].path_digest;
        record_word(self.now, self.round, self.step, sender, cause, kind_digest, digest)
    }

    /// As [`Core::word`], in the first step of an instant.
    #[inline(always)]
    pub(crate) fn first_word(&self, sender: ActorId, cause: u64, kind_digest: u64, digest: u64) -> u64 {
        let sender = self.hot[sender.index()].path_digest;
        record_word(self.now, 0, 0, sender, cause, kind_digest, digest)
    }

    /// Counts and chains a delivery of which the word is known.
    #[inline(always)]
    pub(crate) fn record_word(&mut self, to: ActorId, kind: &'static str, word: u64) {
        self.record_share(to, word);
        self.kind = kind;
    }

    /// As [`Core::record_word`], after one of the same kind.
    #[inline(always)]
    pub(crate) fn record_share(&mut self, to: ActorId, word: u64) {
        let hot = &mut self.hot[to.index()];
        hot.count += 1;
        hot.chain = chained(hot.chain, word);
        self.cause = hot.count;
        self.me = to;
        self.counters.deliveries += 1;
    }

    /// As [`Core::record_share`]. `false`: the receiver is not living, and nothing was done.
    #[inline(always)]
    pub(crate) fn record_if_living(&mut self, to: ActorId, word: u64) -> bool {
        let is_living = self.is_living(to);
        if is_living {
            self.record_share(to, word);
        }
        is_living
    }

    /// Counts, chains and shows a delivery of the engine's own.
    #[inline(always)]
    pub(crate) fn record_own(&mut self, entry: &Entry, kind: Kind, digest: u64) {
        self.record(entry, kind.name, kind.digest, digest);
        if self.observer.is_some() {
            self.observe((entry.from, entry.cause), (entry.to, Some(self.cause)), kind.name, digest, None);
        }
    }

    /// Counts, chains and shows the delivery of a message.
    #[inline(always)]
    pub(crate) fn record_message<M: Message>(&mut self, entry: &Entry, message: &M, digest: u64) {
        self.kind = M::KIND;
        self.record_of_kind(entry.from, entry.cause, entry.to, message, digest);
    }

    /// As [`Core::record_message`], of what the record needs of the entry, after a message of the same kind.
    #[inline(always)]
    pub(crate) fn record_of_kind<M: Message>(&mut self, from: ActorId, cause: u64, to: ActorId, message: &M, digest: u64) {
        let word = self.word(from, cause, const { digest_of_text(M::KIND) }, digest);
        self.record_share(to, word);
        if self.observer.is_some() {
            self.show(from, cause, to, message, digest);
        }
    }

    /// As [`Core::record_of_kind`], in the first step of an instant.
    #[inline(always)]
    pub(crate) fn record_first<M: Message>(&mut self, from: ActorId, cause: u64, to: ActorId, message: &M, digest: u64) {
        let word = self.first_word(from, cause, const { digest_of_text(M::KIND) }, digest);
        self.record_share(to, word);
        if self.observer.is_some() {
            self.show(from, cause, to, message, digest);
        }
    }

    /// Shows what was recorded by its word.
    #[inline(always)]
    pub(crate) fn show_share<M: Message>(&mut self, from: ActorId, cause: u64, to: ActorId, message: &M) {
        if self.observer.is_some() {
            self.show(from, cause, to, message, digest_of(message));
        }
    }

    /// Shows all records to this observer from here on.
    pub(crate) fn observe_by(&mut self, observer: Box<dyn Observer>) {
        self.wording = observer.wording();
        self.observer = Some(observer);
    }

    #[cold]
    fn show<M: Message>(&mut self, from: ActorId, cause: u64, to: ActorId, message: &M, digest: u64) {
        let text = self.wording.as_ref().and_then(|wording| wording(message, message));
        self.observe((from, cause), (to, Some(self.cause)), M::KIND, digest, text.as_deref());
    }

    /// Counts and hashes a dead letter.
    pub(crate) fn record_dead(&mut self, entry: &Entry, kind: &'static str, digest: u64, text: Option<&str>) {
        let sender = self.hot[entry.from.index()].path_digest;
        let word = record_word(self.now, self.round, self.step, sender, entry.cause, digest_of_text(kind), digest);
        let path = self.hot[entry.to.index()].path_digest;
        self.dead_sum = self.dead_sum.wrapping_add(summand(path, word, digest_of_text("dead")));
        self.counters.dead_letters += 1;
        if self.observer.is_some() {
            self.observe((entry.from, entry.cause), (entry.to, None), kind, digest, text);
        }
    }

    /// Shows a delivery: from whom, handling what, and to whom, as which of its own.
    #[cold]
    pub(crate) fn observe(
        &mut self,
        (from, cause): (ActorId, u64),
        (to, count): (ActorId, Option<u64>),
        kind: &'static str,
        digest: u64,
        text: Option<&str>,
    ) {
        let Some(observer) = &mut self.observer else { return };
        for id in [from, to] {
            let number = &mut self.hot[id.index()].number;
            if *number == NONE {
                *number = self.numbers;
                self.numbers += 1;
                let cold = &self.cold[id.index()];
                observer.name(*number, &cold.path, cold.rank);
            }
        }
        let record = TraceRecord {
            at: self.now,
            round: self.round,
            step: self.step,
            receiver: self.hot[to.index()].number,
            count,
            sender: self.hot[from.index()].number,
            sender_count: cause,
            kind,
            digest,
            text,
        };
        if let Err(error) = observer.record(&record) {
            self.observer_error.get_or_insert(error);
            self.attention_when_still = true;
        }
    }

    /// The hash of the run as it stands.
    pub(crate) fn trace_hash(&self) -> TraceHash {
        let living = self.hot.iter().filter(|hot| hot.life != Life::Stopped && hot.count > 0);
        let sum = living.map(|hot| summand(hot.path_digest, hot.chain, hot.count));
        TraceHash(sum.fold(self.stopped_sum.wrapping_add(self.dead_sum), u128::wrapping_add))
    }
}

/// One word for everything in a record but the receiver and its count, which the chain stands for.
#[inline(always)]
fn record_word(at: Instant, round: u32, step: u32, sender: u64, cause: u64, kind: u64, digest: u64) -> u64 {
    let place = fold(at.as_nanos() as u64 ^ 0x9ddf_ea08_eb38_2d69, (u64::from(round) << 32 | u64::from(step)) ^ 0xc2b2_ae3d_27d4_eb4f);
    let origin = fold(sender ^ 0x1656_67b1_9e37_79f9, cause ^ 0x27d4_eb2f_1656_67c5);
    let what = fold(kind ^ 0x8564_9d2b_0b15_c5a1, digest ^ 0x2127_599b_f432_5c37);
    place.rotate_left(17) ^ origin.rotate_left(41) ^ what
}

#[inline(always)]
fn chained(chain: u64, word: u64) -> u64 {
    fold(chain ^ 0xa076_1d64_78bd_642f, word ^ chain.rotate_left(32))
}

/// What one chain, or one dead letter, adds to the hash of the run.
pub(crate) fn summand(path: u64, chain: u64, count: u64) -> u128 {
    let low = fold(path ^ 0xe703_7ed1_a0b4_28db, chain ^ fold(count ^ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3));
    let high = fold(chain ^ 0x1d8e_4e27_c47d_124f, path ^ fold(count ^ 0xeb44_acca_b455_d165, 0x9e37_79b9_7f4a_7c15));
    u128::from(low) | u128::from(high) << 64
}
