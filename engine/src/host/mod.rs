//! Hosts: who runs the shards of a simulation.

#[cfg_attr(not(test), expect(dead_code, reason = "the parallel host is its user"))]
mod merge;
