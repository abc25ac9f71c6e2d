//! Whether all lanes answer alike.

use crate::data::{AUTHORS, USERS, User};
use crate::lane::{Answer, Run};
use crate::work::Work;

/// Panics where a lane answers otherwise than the first, which is the raw one, or stores what it was
/// not given. `clean` removes the rows that were inserted.
pub fn same_answers(lanes: &mut [Box<dyn Run>], clean: &mut dyn FnMut()) {
    for &work in Work::ALL {
        let (raw, others) = lanes.split_first_mut().expect("a raw lane");
        let expected = raw.answer(work);
        judge(&mut **raw, &expected, work);
        clean();
        for lane in others.iter_mut().filter(|lane| lane.has(work)) {
            let answer = lane.answer(work);
            match &answer {
                Answer::Inserted(_) => {}
                answer => assert_eq!(*answer, expected, "{} answers {work:?} otherwise", lane.name()),
            }
            judge(&mut **raw, &answer, work);
            clean();
        }
    }
}

/// Whether an answer is right, as the raw lane sees it.
fn judge(raw: &mut dyn Run, answer: &Answer, work: Work) {
    match (answer, work) {
        (Answer::Users(users), Work::Get) => assert_eq!(users.len(), 1),
        (Answer::Users(users), Work::Rows(rows)) => assert_eq!(users.len() as i64, rows),
        (Answer::Users(users), _) => assert!((20..=50).contains(&users.len()), "{} users", users.len()),
        (Answer::Authors(authors), _) => {
            assert_eq!(authors.len() as i64, AUTHORS);
            for author in authors {
                assert_eq!(author.posts.len(), 10);
                assert!(author.posts.iter().all(|post| post.comments.len() == 10));
            }
        }
        (Answer::Inserted(users), _) => {
            let expected = match work {
                Work::Insert => 1,
                Work::InsertAll(rows) => rows,
                _ => 10,
            };
            assert_eq!(users.len(), expected);
            for (user, number) in users.iter().zip(USERS + 1..) {
                assert!(user.id > USERS, "{user:?} has a key");
                assert_eq!(*user, User { id: user.id, ..User::numbered(number) });
                assert_eq!(raw.user(user.id), *user, "what is stored is what was given");
            }
        }
        (Answer::Count(count), _) => {
            assert_eq!(*count, 1);
            assert_eq!(raw.user(USERS).hair_color.as_deref(), Some("green"));
        }
    }
}
