//! What a client knows of a family.

use crate::line::{Answer, Line};

pub(crate) struct Family {
    pub(crate) id: String,
    /// All refresh tokens that it was given, each at the place of its generation.
    pub(crate) tokens: Vec<String>,
    /// Whether the token before the current one was presented twice.
    pub(crate) raced: bool,
    /// Whether a refresh with the current token was sent and not answered.
    pub(crate) refreshing: bool,
    /// Whether a revocation was sent and not answered.
    pub(crate) revoking: bool,
}

impl Family {
    pub(crate) fn of(answer: &Answer) -> Self {
        let (token, id) = answer.pair();
        Self { id, tokens: vec![token], raced: false, refreshing: false, revoking: false }
    }

    pub(crate) fn open(line: &mut Line<'_>, secret: &str) -> Self {
        Self::of(&line.authenticate(secret))
    }

    pub(crate) fn generation(&self) -> u64 {
        self.tokens.len() as u64 - 1
    }

    pub(crate) fn current(&self) -> &str {
        self.tokens.last().unwrap()
    }

    pub(crate) const fn is_under_way(&self) -> bool {
        self.refreshing || self.revoking
    }

    /// Takes the successor of the current token.
    #[track_caller]
    pub(crate) fn take(&mut self, answer: &Answer) {
        let (token, id) = answer.pair();
        assert_eq!(id, self.id);
        assert!(!self.tokens.contains(&token), "{id}: a token that was given before");
        self.tokens.push(token);
        (self.raced, self.refreshing) = (false, false);
    }

    #[track_caller]
    pub(crate) fn refresh(&mut self, line: &mut Line<'_>) {
        let answer = line.refresh(self.current());
        self.take(&answer);
    }

    /// Nothing if the server is gone.
    pub(crate) fn try_refresh(&mut self, line: &mut Line<'_>) -> Option<()> {
        self.refreshing = true;
        line.send_refresh(self.current())?;
        let answer = line.answer()?;
        self.take(&answer);
        Some(())
    }

    /// The current token at two places at once: both give the same. Nothing if the server is gone.
    #[track_caller]
    pub(crate) fn try_race(&mut self, lines: &mut [Line<'_>; 2]) -> Option<()> {
        self.refreshing = true;
        let sent = lines.each_mut().map(|line| line.send_refresh(self.current()));
        let answers = lines.each_mut().map(Line::answer);
        if let [Some(one), Some(other)] = &answers {
            assert_eq!(one.pair(), other.pair(), "a fork");
        }
        // Also if the other one was not answered.
        if let Some(answer) = answers.iter().flatten().next() {
            self.take(answer);
        }
        self.raced = true;
        (sent.iter().all(Option::is_some) && answers.iter().all(Option::is_some)).then_some(())
    }
}
