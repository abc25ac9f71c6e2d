//! The models of the works.

use lanes::data;
use ommi::prelude::*;

/// A user.
#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "users")]
pub struct User {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// The name.
    pub name: String,
    /// The colour of the hair.
    pub hair_color: Option<String>,
    /// The age in years.
    pub age: i64,
    /// When the user came, in microseconds since 1970.
    pub created_at: i64,
}

/// A user with posts, in the same table.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "users")]
pub struct Author {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// The name.
    pub name: String,
    /// The colour of the hair.
    pub hair_color: Option<String>,
    /// The age in years.
    pub age: i64,
    /// When the user came, in microseconds since 1970.
    pub created_at: i64,
    /// The posts.
    pub posts: Many<Post>,
}

/// A post of a user.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "posts")]
pub struct Post {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// Whose post it is.
    #[ommi(references = Author, index)]
    pub user_id: i64,
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

impl From<data::User> for User {
    fn from(data::User { id, name, hair_color, age, created_at }: data::User) -> User {
        User { id, name, hair_color, age, created_at }
    }
}

impl From<User> for data::User {
    fn from(User { id, name, hair_color, age, created_at }: User) -> data::User {
        data::User { id, name, hair_color, age, created_at }
    }
}

impl From<Author> for data::Author {
    fn from(Author { id, name, hair_color, age, created_at, posts }: Author) -> data::Author {
        let post = |post: &Post| data::Post {
            id: post.id,
            user_id: post.user_id,
            title: post.title.clone(),
            body: post.body.clone(),
            comments: post.comments.loaded().expect("comments").iter().map(comment).collect(),
        };
        fn comment(comment: &Comment) -> data::Comment {
            data::Comment { id: comment.id, post_id: comment.post_id, text: comment.text.clone() }
        }
        data::Author {
            user: data::User { id, name, hair_color, age, created_at },
            posts: posts.loaded().expect("posts").iter().map(post).collect(),
        }
    }
}
