//! The public listener under attack: real sockets against the real accept loop and the real router
//! (security.md §2.4, SEC-120 … SEC-130). Deadlines are scaled down and sizes are hundreds of sockets; both are
//! those of the cases with `PASSERELLE_LONG=1`.

mod bodies;
mod crowd;
mod house;
mod slow;
mod stopping;
