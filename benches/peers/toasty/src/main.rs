//! Toasty.

mod by_toasty;

use std::rc::Rc;

use by_toasty::Toasty;
use lanes::{CONNECTIONS, POOL, Runner};

fn main() {
    lanes::peer::serve(|database, address| {
        let one = Rc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
        let many = Rc::new(lanes::tasks());
        let open = |pool| async move {
            match database {
                "sqlite" => Toasty::open_sqlite(address, pool).await,
                _ => Toasty::connect(address, pool).await,
            }
        };
        let (lane, shared) = (one.block_on(open(POOL)), many.block_on(open(CONNECTIONS)));
        vec![Runner::boxed("Toasty", (&one, lane), (&many, shared))]
    });
}
