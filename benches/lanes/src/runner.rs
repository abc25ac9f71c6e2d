//! How the works are run, and what they must answer.

use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::data::{AUTHORS, Author, USERS, User};
use crate::{Lane, Shared, TASKS, WORKERS, Work};

/// A lane whose type is not known.
pub trait Run {
    /// The name in tables.
    fn name(&self) -> &str;

    /// Runs a work so many times, after a tenth of them to warm it; gives the time, or nothing where the
    /// lane does not have the work.
    fn run(&mut self, work: Work, times: u32) -> Option<Duration>;

    /// Does a work once and compares the answer with the right one. Gives the keys of the rows that were
    /// inserted, those numbered from [`USERS`] + 1 on.
    ///
    /// # Panics
    ///
    /// If the answer is another.
    fn check(&mut self, work: Work) -> Vec<i64>;
}

/// A lane of this program, with the runtimes on which it was opened.
pub struct Runner<L, S> {
    name: &'static str,
    runtime: Rc<Runtime>,
    lane: L,
    tasks: Rc<Runtime>,
    shared: S,
}

/// The runtime of the tasks.
pub fn tasks() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("a runtime")
}

/// A key somewhere among the users.
pub fn key(number: u32) -> i64 {
    i64::from(number) * 7919 % USERS + 1
}

fn new_users(count: i64) -> Vec<User> {
    (USERS + 1..=USERS + count).map(User::numbered).collect()
}

impl<L: Lane, S: Shared> Runner<L, S> {
    /// A lane of one thread, and one for the tasks of [`Work::Tasks`].
    pub fn boxed(
        name: &'static str,
        (runtime, lane): (&Rc<Runtime>, L),
        (tasks, shared): (&Rc<Runtime>, S),
    ) -> Box<dyn Run>
    where
        L: 'static,
    {
        Box::new(Runner { name, runtime: Rc::clone(runtime), lane, tasks: Rc::clone(tasks), shared })
    }

    fn work(&mut self, work: Work, times: u32) {
        let lane = &mut self.lane;
        if work == Work::Tasks {
            return self.tasks(times);
        }
        self.runtime.block_on(async {
            for number in 0..times {
                match work {
                    Work::Get => _ = black_box(lane.get(key(number)).await),
                    Work::Rows(rows) => _ = black_box(lane.rows(rows).await),
                    Work::Filter => _ = black_box(lane.filter(i64::from(number % 90)).await),
                    Work::Insert => _ = black_box(lane.insert(User::numbered(USERS + i64::from(number))).await),
                    Work::InsertAll(rows) => _ = black_box(lane.insert_all(new_users(rows)).await),
                    Work::Tree => _ = black_box(lane.tree().await),
                    Work::Update => {
                        _ = black_box(lane.update(key(number), if number % 2 == 0 { "red" } else { "grey" }).await);
                    }
                    Work::Transaction => _ = black_box(lane.transaction(new_users(10)).await),
                    Work::Together => _ = black_box(lane.together(new_users(10)).await),
                    Work::Tasks => {}
                }
            }
        });
    }

    fn tasks(&self, times: u32) {
        let each = times.div_ceil(TASKS);
        self.tasks.block_on(async {
            let task = |task: u32| {
                let mut shared = self.shared.clone();
                tokio::spawn(async move {
                    for number in task * each..(task + 1) * each {
                        assert_eq!(shared.look_up(key(number)).await, key(number));
                    }
                })
            };
            let tasks: Vec<_> = (0..TASKS).map(task).collect();
            for task in tasks {
                task.await.expect("a task");
            }
        });
    }
}

impl<L: Lane, S: Shared> Run for Runner<L, S> {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, work: Work, times: u32) -> Option<Duration> {
        if work == Work::Together && self.runtime.block_on(self.lane.together(Vec::new())).is_none() {
            return None;
        }
        self.work(work, times.div_ceil(10));
        let begun = Instant::now();
        self.work(work, times);
        Some(begun.elapsed())
    }

    fn check(&mut self, work: Work) -> Vec<i64> {
        let (name, lane) = (self.name, &mut self.lane);
        let same = |given: Vec<User>, expected: Vec<User>| {
            assert!(given == expected, "{name} answers otherwise: {}", work.name());
        };
        self.runtime.block_on(async {
            let inserted = match work {
                Work::Get => {
                    same(vec![lane.get(17).await.into()], vec![User::with_key(17)]);
                    return Vec::new();
                }
                Work::Rows(rows) => {
                    let mut users = plain(lane.rows(rows).await);
                    users.sort_by_key(|user| user.id);
                    same(users, (1..=rows).map(User::with_key).collect());
                    return Vec::new();
                }
                Work::Filter => {
                    let black = |user: &User| user.age == 31 && user.hair_color.as_deref() == Some("black");
                    let mut users: Vec<User> = (1..=USERS).map(User::with_key).filter(black).collect();
                    users.sort_by(|one, other| one.name.cmp(&other.name));
                    users.truncate(50);
                    same(plain(lane.filter(31).await), users);
                    return Vec::new();
                }
                Work::Tree => {
                    let mut authors: Vec<Author> = lane.tree().await.into_iter().map(Into::into).collect();
                    authors.iter_mut().for_each(Author::sort);
                    authors.sort_by_key(|author| author.user.id);
                    assert!(authors == (1..=AUTHORS).map(Author::with_key).collect::<Vec<_>>(), "{name}: relations");
                    return Vec::new();
                }
                Work::Update => {
                    assert_eq!(lane.update(USERS, "green").await, 1, "{name} updates one row");
                    return Vec::new();
                }
                Work::Tasks => return Vec::new(),
                Work::Insert => vec![lane.insert(User::numbered(USERS + 1)).await.into()],
                Work::InsertAll(rows) => plain(lane.insert_all(new_users(rows)).await),
                Work::Transaction => plain(lane.transaction(new_users(10)).await),
                Work::Together => match lane.together(new_users(10)).await {
                    Some(users) => plain(users),
                    None => return Vec::new(),
                },
            };
            let keys: Vec<i64> = inserted.iter().map(|user| user.id).collect();
            let mut expected = new_users(keys.len() as i64);
            expected.iter_mut().zip(&keys).for_each(|(user, key)| user.id = *key);
            same(inserted, expected);
            keys
        })
    }
}

fn plain<U: Into<User>>(users: Vec<U>) -> Vec<User> {
    users.into_iter().map(Into::into).collect()
}
