use ommi::prelude::*;

#[derive(Value, Clone)]
enum Subject {
    Post(i64),
    Photo(i64),
}

#[derive(Model, Clone)]
struct Post {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Video {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Comment {
    #[ommi(key)]
    id: i64,
    #[ommi(references = (Post, Video))]
    subject: Subject,
}

fn main() {}
