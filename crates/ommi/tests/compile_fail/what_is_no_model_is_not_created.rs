use ommi::prelude::*;

struct Plain;

async fn create(db: &Db) -> Result<()> {
    db.create::<Plain>().await
}

fn main() {}
