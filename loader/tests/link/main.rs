//! What `link` makes of small worlds: one test for each rule of SEMANTICS.md that concerns selection, named
//! after it, and the properties that hold for every world.

mod findings;
mod frontends;
mod lrpc_rules;
mod model;
mod pods;
mod properties;
mod scale;
mod world;
