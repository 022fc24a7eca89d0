//! The public listener under attack: real sockets against the real accept loop and the real router
//! (security.md §2.4, SEC-120 … SEC-130). Deadlines are scaled down; sizes are hundreds of sockets, and
//! thousands with `PASSERELLE_LONG=1`.

mod bodies;
mod crowd;
mod house;
mod slow;
mod stopping;
