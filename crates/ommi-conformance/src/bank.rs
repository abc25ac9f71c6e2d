//! A bank whose tasks transfer money between few accounts, while futures are dropped and servers
//! die: in the end the sum is right, and every transfer that was acknowledged is there once.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() {
//! use ommi_conformance::{Bank, Target};
//!
//! let bank = Bank { transfers: 20, ..Bank::default() };
//! let report = bank.run(&Target::from_url("memory", "memory:")).await;
//! assert!(report.is_right(), "{report}");
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use ommi::driver::{BoxFuture, Isolation};
use ommi::prelude::*;

use crate::cancellation::cut::{Ended, drop_at_random};
use crate::target::Target;

/// What each account has at the beginning.
const OPENING: i64 = 1_000;
/// How often a transfer is run anew after conflicts before its task looks at it again.
const RETRIES: u32 = 20;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct BankAccount {
    #[ommi(key)]
    id: i64,
    balance: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct BankTransfer {
    #[ommi(key)]
    id: i64,
    payer: i64,
    payee: i64,
    amount: i64,
}

/// Called with the number of transfers that are done, each time that some more are.
type Progress = Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>;

/// What the bank does. It has the tables `BankAccount` and `BankTransfer`, of which it deletes all
/// rows at first.
#[derive(Clone)]
pub struct Bank {
    /// How many tasks transfer at once.
    pub tasks: u32,
    /// How many transfers each makes.
    pub transfers: u32,
    /// How many accounts there are: the fewer, the more conflicts.
    pub accounts: i64,
    /// How many of a hundred transfers are dropped at some moment, and tried again.
    pub drops: u8,
    /// The latest moment at which a transfer is dropped that is not dropped after a few polls.
    pub drop_within: Duration,
    /// What the random choices are made from.
    pub seed: u64,
    /// How long a task bears that the database does not answer.
    pub patience: Duration,
    /// After how many transfers `hook` is called.
    pub hook_every: u64,
    /// Called while the transfers go on: it may kill the server and start it again.
    pub hook: Option<Progress>,
}

impl Default for Bank {
    fn default() -> Self {
        Bank {
            tasks: 8,
            transfers: 2_000,
            accounts: 12,
            drops: 10,
            drop_within: Duration::from_millis(10),
            seed: 1,
            patience: Duration::from_secs(60),
            hook_every: 2_000,
            hook: None,
        }
    }
}

impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bank")
            .field("tasks", &self.tasks)
            .field("transfers", &self.transfers)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// How the bank's books are in the end.
#[derive(Clone, Debug, Default)]
pub struct BankReport {
    /// The target's name.
    pub target: String,
    /// How many transfers were acknowledged.
    pub acknowledged: u64,
    /// How many attempts were dropped before they were.
    pub dropped: u64,
    /// How many transfers were found done whose attempt was dropped, or failed without a verdict.
    pub found: u64,
    /// How often each kind of error was met and tried again.
    pub errors: BTreeMap<&'static str, u64>,
    /// What is wrong.
    pub problems: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

impl BankReport {
    /// Whether the sum is right and every acknowledged transfer is there once.
    pub fn is_right(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for BankReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<String> = self.errors.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
        writeln!(
            f,
            "{}: {} transfers acknowledged in {:.1} s; {} attempts dropped, {} found done after; errors tried again: {}",
            self.target,
            self.acknowledged,
            self.time.as_secs_f64(),
            self.dropped,
            self.found,
            if errors.is_empty() { "none".to_owned() } else { errors.join(", ") }
        )?;
        for problem in self.problems.iter().take(20) {
            writeln!(f, "  {problem}")?;
        }
        match self.problems.len() {
            0 => f.write_str("the sum is right, and every acknowledged transfer is there once"),
            number => write!(f, "{number} problems"),
        }
    }
}

/// What a task has done.
#[derive(Default)]
struct Done {
    acknowledged: Vec<BankTransfer>,
    dropped: u64,
    found: u64,
    errors: BTreeMap<&'static str, u64>,
    problem: Option<String>,
}

impl Bank {
    /// Makes all transfers, and looks at the books.
    ///
    /// The database needs transactions. A transfer that was dropped, or failed without a verdict,
    /// is looked for and made again under the same number until it is there.
    pub async fn run(&self, target: &Target) -> BankReport {
        let begun = Instant::now();
        let mut report = BankReport { target: target.name().to_owned(), ..BankReport::default() };
        if let Err(error) = self.run_on(target, &mut report).await {
            report.problems.push(error.to_string());
        }
        report.time = begun.elapsed();
        report
    }

    async fn run_on(&self, target: &Target, report: &mut BankReport) -> Result<()> {
        let db = target.open().await?;
        db.create::<(BankAccount, BankTransfer)>().await?;
        db.find(BankTransfer::all()).delete().await?;
        db.find(BankAccount::all()).delete().await?;
        db.add_all((0..self.accounts).map(|id| BankAccount { id, balance: OPENING })).await?;
        let done = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| {
                let (bank, db, done) = (self.clone(), db.clone(), Arc::clone(&done));
                tokio::spawn(async move { bank.transfer_all(&db, task, &done).await })
            })
            .collect();
        let hook = self.hook.clone().map(|hook| tokio::spawn(call(hook, self.hook_every.max(1), Arc::clone(&done))));
        let mut acknowledged = Vec::new();
        for task in tasks {
            match task.await {
                Ok(of_task) => {
                    report.dropped += of_task.dropped;
                    report.found += of_task.found;
                    for (kind, number) in of_task.errors {
                        *report.errors.entry(kind).or_default() += number;
                    }
                    report.problems.extend(of_task.problem);
                    acknowledged.extend(of_task.acknowledged);
                }
                Err(fault) => report.problems.push(format!("a task ended: {fault}")),
            }
        }
        if let Some(hook) = hook {
            hook.abort();
        }
        report.acknowledged = acknowledged.len().try_into().unwrap_or(u64::MAX);
        self.look_at_the_books(&db, acknowledged, report).await?;
        db.close().await
    }

    async fn transfer_all(&self, db: &Db, task: u32, done: &AtomicU64) -> Done {
        let mut of_task = Done::default();
        let mut random = Rng::with_seed(self.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(task)));
        for number in 0..self.transfers {
            let payer = random.i64(0..self.accounts);
            let payee = (payer + random.i64(1..self.accounts)) % self.accounts;
            let id = i64::from(task) * i64::from(self.transfers) + i64::from(number);
            let transfer = BankTransfer { id, payer, payee, amount: random.i64(1..=20) };
            match self.transfer(db, &transfer, &mut random, &mut of_task).await {
                Ok(()) => of_task.acknowledged.push(transfer),
                Err(error) => {
                    of_task.problem = Some(format!("transfer {id}: {error}"));
                    break;
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
        of_task
    }

    /// Makes one transfer, again and again, until it is acknowledged or found.
    async fn transfer(&self, db: &Db, transfer: &BankTransfer, random: &mut Rng, of_task: &mut Done) -> Result<()> {
        let mut silent_since = Instant::now();
        let mut is_in_doubt = false;
        loop {
            let work = make(db, transfer.clone(), random.bool());
            let answer = match random.u8(0..100) < self.drops {
                false => work.await,
                true => match drop_at_random(random, self.drop_within, work).await {
                    Ended::Done(answer) => answer,
                    Ended::Dropped => {
                        of_task.dropped += 1;
                        is_in_doubt = true;
                        continue;
                    }
                },
            };
            let error = match answer {
                Ok(()) => return Ok(()),
                // an attempt before this one was done after all
                Err(error) if error.is_unique_violation() && is_in_doubt => {
                    of_task.found += 1;
                    return Ok(());
                }
                Err(error) => error,
            };
            *of_task.errors.entry(error.kind().name()).or_default() += 1;
            if error.is_retryable() {
                silent_since = Instant::now();
                continue;
            }
            if !(error.is_unknown() || error.is_connection() || error.is_timeout())
                || silent_since.elapsed() > self.patience
            {
                return Err(error);
            }
            is_in_doubt = true;
            tokio::time::sleep(Duration::from_millis(random.u64(1..40))).await;
        }
    }

    /// Compares accounts and transfers with each other and with what was acknowledged.
    async fn look_at_the_books(&self, db: &Db, acknowledged: Vec<BankTransfer>, report: &mut BankReport) -> Result<()> {
        let transfers = db.find(BankTransfer::all()).all().await?;
        let there: BTreeMap<i64, &BankTransfer> = transfers.iter().map(|transfer| (transfer.id, transfer)).collect();
        if there.len() != transfers.len() {
            report.problems.push(format!("{} transfers are there twice", transfers.len() - there.len()));
        }
        for transfer in &acknowledged {
            match there.get(&transfer.id) {
                Some(found) if *found == transfer => {}
                Some(found) => report.problems.push(format!("{transfer:?} is there as {found:?}")),
                None => report.problems.push(format!("{transfer:?} was acknowledged and is not there")),
            }
        }
        let expected = u64::from(self.tasks) * u64::from(self.transfers);
        if report.problems.is_empty() && transfers.len().try_into() != Ok(expected) {
            report.problems.push(format!("{} transfers are there, not {expected}", transfers.len()));
        }
        let accounts = db.find(BankAccount::all()).all().await?;
        let sum: i64 = accounts.iter().map(|account| account.balance).sum();
        if sum != OPENING * self.accounts {
            report.problems.push(format!("the sum of all accounts is {sum}, not {}", OPENING * self.accounts));
        }
        for account in accounts {
            let paid = |of: fn(&BankTransfer) -> i64| -> i64 {
                transfers.iter().filter(|transfer| of(transfer) == account.id).map(|transfer| transfer.amount).sum()
            };
            let right = OPENING + paid(|transfer| transfer.payee) - paid(|transfer| transfer.payer);
            if account.balance != right {
                report
                    .problems
                    .push(format!("account {} has {}, and {right} by its transfers", account.id, account.balance));
            }
        }
        Ok(())
    }
}

/// Makes a transfer in one transaction: in place, or by what it has read, where the isolation
/// allows that.
async fn make(db: &Db, transfer: BankTransfer, in_place: bool) -> Result<()> {
    let can = db.driver().capabilities().transaction;
    let isolation = match (can.serializable, can.repeatable_read) {
        (true, _) => Some(Isolation::Serializable),
        (false, true) => Some(Isolation::RepeatableRead),
        (false, false) => None,
    };
    let options = match isolation {
        Some(isolation) if !in_place => db.options().isolation(isolation),
        _ => db.options(),
    };
    let in_place = in_place || isolation.is_none();
    options
        .retry(RETRIES)
        .transaction(|tx| {
            let transfer = transfer.clone();
            async move {
                for (account, change) in [(transfer.payer, -transfer.amount), (transfer.payee, transfer.amount)] {
                    if in_place {
                        let account = tx.find(BankAccount::ID.eq(account));
                        account.update(BankAccount::BALANCE.set(BankAccount::BALANCE + change)).await?;
                    } else {
                        let mut account = tx.get::<BankAccount>(account).await?;
                        account.balance += change;
                        tx.update(&account, BankAccount::BALANCE).await?;
                    }
                }
                tx.add(transfer).await.map(drop)
            }
        })
        .await
}

/// Calls the hook each time that some more transfers are done.
async fn call(hook: Progress, every: u64, done: Arc<AtomicU64>) {
    let mut next = every;
    loop {
        let now = done.load(Ordering::Relaxed);
        if now >= next {
            hook(now).await;
            next = now + every;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
