//! Members with their posts and the posts' comments, beside the same by hand.

use std::collections::HashMap;

use ommi::Db;
use ommi::prelude::*;
use rusqlite::Connection;
use tokio_postgres::{Client, Statement};

/// How many members there are; each has ten posts, and each post ten comments.
pub const MEMBERS: i64 = 100;

/// A member.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "members")]
pub struct Member {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// The name.
    pub name: String,
    /// The age in years.
    pub age: i64,
    /// The member's posts.
    pub posts: Many<Post>,
}

/// A post of a member.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "posts")]
pub struct Post {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// Whose post it is.
    #[ommi(references = Member, index)]
    pub member_id: i64,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// What others say of it.
    pub comments: Many<Comment>,
}

/// A comment on a post.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "comments")]
pub struct Comment {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// What it is about.
    #[ommi(references = Post, index)]
    pub post_id: i64,
    /// The text.
    pub text: String,
}

/// A comment that knows its post.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "comments")]
pub struct Remark {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// What it is about.
    #[ommi(references = Post, index)]
    pub post_id: i64,
    /// The text.
    pub text: String,
    /// The post.
    pub post: One<Post>,
}

/// The same by hand.
#[allow(dead_code, reason = "filled, as a program that shows it would have it")]
pub struct RawMember {
    pub id: i64,
    pub name: String,
    pub age: i64,
    pub posts: Vec<RawPost>,
}

/// The same by hand.
#[allow(dead_code, reason = "filled, as a program that shows it would have it")]
pub struct RawPost {
    pub id: i64,
    pub member_id: i64,
    pub title: String,
    pub body: String,
    pub comments: Vec<RawComment>,
}

/// The same by hand.
#[allow(dead_code, reason = "filled, as a program that shows it would have it")]
pub struct RawComment {
    pub id: i64,
    pub post_id: i64,
    pub text: String,
}

/// Fills the tables.
pub async fn fill(db: &Db) -> Result<()> {
    db.create::<(Member, Post, Comment)>().await?;
    let comment =
        |n: i64| Comment { text: format!("Comment number {n}, which says a little more"), ..Default::default() };
    let post = |n: i64| Post {
        title: format!("Post number {n}"),
        body: format!("The body of post number {n}, which is somewhat longer than its title"),
        comments: (0..10).map(|c| comment(n * 10 + c)).collect(),
        ..Default::default()
    };
    let member = |n: i64| Member {
        name: format!("Member number {n}"),
        age: n % 90,
        posts: (0..10).map(|p| post(n * 10 + p)).collect(),
        ..Default::default()
    };
    db.add_all((0..MEMBERS).map(member)).await.map(drop)
}

/// All members with posts and comments, by Ommi.
pub async fn eager(db: &Db) -> Result<Vec<Member>> {
    db.find(Member::ID.le(MEMBERS)).with(Member::POSTS.with(Post::COMMENTS)).all().await
}

/// The three queries by hand on PostgreSQL, prepared once.
pub struct ByHand {
    members: Statement,
    posts: Statement,
    comments: Statement,
}

impl ByHand {
    /// Prepares the queries.
    pub async fn prepare(raw: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(ByHand {
            members: raw.prepare("SELECT id, name, age FROM members WHERE id <= $1").await?,
            posts: raw
                .prepare("SELECT id, member_id, title, body FROM posts WHERE member_id = ANY ($1) ORDER BY member_id")
                .await?,
            comments: raw.prepare("SELECT id, post_id, text FROM comments WHERE post_id = ANY ($1)").await?,
        })
    }

    /// All members with posts and comments, put together by maps of keys.
    pub async fn read(&self, raw: &Client) -> Result<Vec<RawMember>, tokio_postgres::Error> {
        let rows = raw.query(&self.members, &[&MEMBERS]).await?;
        let member = |row: &tokio_postgres::Row| RawMember {
            id: row.get(0),
            name: row.get(1),
            age: row.get(2),
            posts: Vec::new(),
        };
        let mut members: Vec<RawMember> = rows.iter().map(member).collect();
        let keys: Vec<i64> = members.iter().map(|member| member.id).collect();
        let places: HashMap<i64, usize> = keys.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let mut of_post: HashMap<i64, (usize, usize)> = HashMap::new();
        let rows = raw.query(&self.posts, &[&keys]).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let post = RawPost {
                id: row.get(0),
                member_id: row.get(1),
                title: row.get(2),
                body: row.get(3),
                comments: Vec::new(),
            };
            let place = places[&post.member_id];
            keys.push(post.id);
            of_post.insert(post.id, (place, members[place].posts.len()));
            members[place].posts.push(post);
        }
        for row in raw.query(&self.comments, &[&keys]).await? {
            let comment = RawComment { id: row.get(0), post_id: row.get(1), text: row.get(2) };
            let (member, post) = of_post[&comment.post_id];
            members[member].posts[post].comments.push(comment);
        }
        Ok(members)
    }
}

/// The same in three queries by hand, put together by maps of keys.
pub fn by_hand(raw: &Connection) -> rusqlite::Result<Vec<RawMember>> {
    let mut members = raw
        .prepare_cached("SELECT id, name, age FROM members WHERE id <= ?1")?
        .query_map([MEMBERS], |row| {
            Ok(RawMember { id: row.get(0)?, name: row.get(1)?, age: row.get(2)?, posts: Vec::new() })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let places: HashMap<i64, usize> = members.iter().enumerate().map(|(place, member)| (member.id, place)).collect();
    let mut of_post: HashMap<i64, (usize, usize)> = HashMap::new();
    let mut statement =
        raw.prepare_cached("SELECT id, member_id, title, body FROM posts WHERE member_id <= ?1 ORDER BY member_id")?;
    let mut rows = statement.query([MEMBERS])?;
    while let Some(row) = rows.next()? {
        let post = RawPost {
            id: row.get(0)?,
            member_id: row.get(1)?,
            title: row.get(2)?,
            body: row.get(3)?,
            comments: Vec::new(),
        };
        let place = places[&post.member_id];
        of_post.insert(post.id, (place, members[place].posts.len()));
        members[place].posts.push(post);
    }
    let mut statement = raw.prepare_cached(
        "SELECT c.id, c.post_id, c.text FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.member_id <= ?1",
    )?;
    let mut rows = statement.query([MEMBERS])?;
    while let Some(row) = rows.next()? {
        let comment = RawComment { id: row.get(0)?, post_id: row.get(1)?, text: row.get(2)? };
        let (member, post) = of_post[&comment.post_id];
        members[member].posts[post].comments.push(comment);
    }
    Ok(members)
}
