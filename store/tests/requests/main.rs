//! Asynchronous requests: each promise by its name, the queue against a naive model, the pool against a sequential run, virtual time, and the
//! examples of Arctic's page.

mod arctic;
mod kit;
mod memory;
mod model;
mod promises;
mod refusals;
mod simulated;
mod threads;
mod virtual_time;
