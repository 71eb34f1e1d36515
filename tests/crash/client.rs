//! A client that has some families for itself, and remembers what it was told.

use crate::{
    family::Family,
    file::Snapshot,
    line::{Killer, Line},
    random::Random,
    server::Server,
};

/// How many families it has.
const FAMILIES: usize = 4;

pub(crate) struct Client {
    secret: String,
    random: Random,
    /// Those that it takes for alive.
    families: Vec<Family>,
    /// Those of which it was told that they have ended.
    ended: Vec<Family>,
    /// How often it asked for a family and was not answered.
    pub(crate) unanswered_openings: usize,
}

impl Client {
    pub(crate) const fn new(secret: String, random: Random) -> Self {
        Self { secret, random, families: Vec::new(), ended: Vec::new(), unanswered_openings: 0 }
    }

    /// How many families it knows.
    pub(crate) fn known(&self) -> usize {
        self.families.len() + self.ended.len()
    }

    /// The families of which a request was under way when the server was killed.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(|family| family.is_under_way())
    }

    /// That the file has what it was told, and nothing that it did not ask for.
    pub(crate) fn compare(&self, snapshot: &Snapshot) {
        for family in &self.families {
            let (row, known, id) = (snapshot.row(family), family.generation(), &family.id);
            let most = known + u64::from(family.refreshing);
            assert!((known..=most).contains(&row.generation), "{id}: {row:?}, {known} to {most}");
            assert!(!row.is_revoked || family.revoking, "{id}: {row:?} was not revoked");
        }
        for family in &self.ended {
            let (row, known, id) = (snapshot.row(family), family.generation(), &family.id);
            let most = known + u64::from(family.refreshing);
            assert!((known..=most).contains(&row.generation), "{id}: {row:?}, {known} to {most}");
            assert!(row.is_revoked, "{id}: {row:?} was revoked");
        }
    }

    /// After a kill: goes on with every family, and fills up.
    pub(crate) fn recover(&mut self, server: &Server, snapshot: &Snapshot) {
        let mut line = Line::to(server).unwrap();
        for mut family in std::mem::take(&mut self.families) {
            if snapshot.row(&family).is_revoked {
                assert_eq!(line.refresh(family.current()).status, 401, "{}", family.id);
                self.ended.push(family);
                continue;
            }
            let was_under_way = family.is_under_way();
            family.revoking = false;
            // Whether it is rotated now or was before: never refused.
            family.refresh(&mut line);
            if was_under_way {
                let again = line.refresh(&family.tokens[family.tokens.len() - 2]);
                assert_eq!(again.pair().0, family.current(), "{}", family.id);
                family.refresh(&mut line);
            }
            self.families.push(family);
        }
        for _ in 0..self.ended.len().min(8) {
            let family = &self.ended[self.random.place(self.ended.len())];
            assert_eq!(line.refresh(family.current()).status, 401, "{}", family.id);
        }
        while self.families.len() < FAMILIES {
            let mut family = Family::open(&mut line, &self.secret);
            family.refresh(&mut line);
            self.families.push(family);
        }
    }

    /// When the grace is over: an old token ends its family, be it the last or one before.
    pub(crate) fn replay(&mut self, server: &Server) {
        let mut line = Line::to(server).unwrap();
        let place = self.random.place(self.families.len());
        let family = self.families.swap_remove(place);
        let old = match self.random.below(2) {
            0 => family.tokens.len() - 2,
            _ => self.random.place(family.tokens.len() - 1),
        };
        for token in [&family.tokens[old], family.current()] {
            assert_eq!(line.refresh(token).status, 401, "{}: token {old}", family.id);
        }
        self.ended.push(family);
        self.families.push(Family::open(&mut line, &self.secret));
    }

    /// Refreshes, races itself, revokes and opens, until the server is gone.
    pub(crate) fn ask_until_killed(&mut self, killer: &Killer<'_>) {
        if let (Some(one), Some(other)) = (Line::under(killer), Line::under(killer)) {
            let mut lines = [one, other];
            while self.ask(&mut lines).is_some() {}
        }
    }

    fn ask(&mut self, lines: &mut [Line<'_>; 2]) -> Option<()> {
        let place = self.random.place(self.families.len());
        let family = &mut self.families[place];
        match self.random.below(20) {
            0 => self.revoke(place, lines),
            1 => self.revoke_amid_refresh(place, lines),
            2..=4 if !family.raced => family.try_race(lines),
            _ => family.try_refresh(&mut lines[0]),
        }
    }

    fn revoke(&mut self, place: usize, lines: &mut [Line<'_>; 2]) -> Option<()> {
        let (family, line) = (&mut self.families[place], &mut lines[0]);
        family.revoking = true;
        line.send_revoke(family.current())?;
        assert_eq!(line.answer()?.status, 200, "{}", family.id);
        self.replace_ended(place, lines)
    }

    /// Both at once: however it goes for the refresh, the family has ended when the revocation is answered.
    fn revoke_amid_refresh(&mut self, place: usize, lines: &mut [Line<'_>; 2]) -> Option<()> {
        let family = &mut self.families[place];
        let [one, other] = lines;
        (family.revoking, family.refreshing) = (true, true);
        one.send_revoke(family.current())?;
        let sent = other.send_refresh(family.current());
        let revoked = one.answer();
        let refreshed = sent.and_then(|()| other.answer());
        let is_refused = refreshed.as_ref().is_some_and(|answer| answer.status == 401);
        if let Some(answer) = refreshed.filter(|_| !is_refused) {
            family.take(&answer);
        }
        if let Some(answer) = &revoked {
            assert_eq!(answer.status, 200, "{}", family.id);
        }
        if is_refused || revoked.is_some() {
            return self.replace_ended(place, lines);
        }
        None
    }

    fn replace_ended(&mut self, place: usize, lines: &mut [Line<'_>; 2]) -> Option<()> {
        let line = &mut lines[0];
        self.ended.push(self.families.swap_remove(place));
        let ended = self.ended.last()?;
        line.send_refresh(ended.current())?;
        assert_eq!(line.answer()?.status, 401, "{} has ended", ended.id);
        self.unanswered_openings += 1;
        line.send_authenticate(&self.secret)?;
        let answer = line.answer()?;
        self.unanswered_openings -= 1;
        self.families.push(Family::of(&answer));
        Some(())
    }
}
