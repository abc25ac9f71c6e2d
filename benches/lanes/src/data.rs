//! The rows of the workloads.

/// How many users there are.
pub const USERS: i64 = 10_000;

/// How many users have posts: each ten, and each post has ten comments.
pub const AUTHORS: i64 = 100;

/// A user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// The key.
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

impl User {
    /// The user of a number, who has no key yet.
    pub fn numbered(number: i64) -> Self {
        let colors = ["brown", "black", "blond"];
        User {
            id: 0,
            name: format!("User number {number}"),
            hair_color: (number % 3 > 0).then(|| colors[usize::try_from(number).unwrap_or_default() % 3].to_owned()),
            age: number % 90,
            created_at: 1_700_000_000_000_000 + number,
        }
    }

    /// The same as it is stored.
    pub fn with_key(number: i64) -> Self {
        User { id: number, ..User::numbered(number) }
    }
}

/// A user with posts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Author {
    /// The user.
    pub user: User,
    /// The posts.
    pub posts: Vec<Post>,
}

impl Author {
    /// The user of a key with all posts and comments.
    pub fn with_key(id: i64) -> Self {
        let with_comments = |number: i64| {
            let comments = (number * 10..number * 10 + 10).map(Comment::numbered).collect();
            Post { comments, ..Post::numbered(number) }
        };
        Author { user: User::with_key(id), posts: ((id - 1) * 10..id * 10).map(with_comments).collect() }
    }

    /// Puts posts and comments into the order of their keys.
    pub fn sort(&mut self) {
        self.posts.sort_by_key(|post| post.id);
        for post in &mut self.posts {
            post.comments.sort_by_key(|comment| comment.id);
        }
    }
}

/// A post with comments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Post {
    /// The key.
    pub id: i64,
    /// Whose post it is.
    pub user_id: i64,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// What others say of it.
    pub comments: Vec<Comment>,
}

impl Post {
    /// The post of a number.
    pub fn numbered(number: i64) -> Self {
        Post {
            id: number + 1,
            user_id: number / 10 + 1,
            title: format!("Post number {number}"),
            body: format!("The body of post number {number}, which is somewhat longer than its title"),
            comments: Vec::new(),
        }
    }
}

/// A comment on a post.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comment {
    /// The key.
    pub id: i64,
    /// What it is about.
    pub post_id: i64,
    /// The text.
    pub text: String,
}

impl Comment {
    /// The comment of a number.
    pub fn numbered(number: i64) -> Self {
        Comment {
            id: number + 1,
            post_id: number / 10 + 1,
            text: format!("Comment number {number}, which says a little more"),
        }
    }
}
