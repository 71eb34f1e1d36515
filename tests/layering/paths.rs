//! Finds the paths in Rust source, as far as the layering needs it.

/// A path in the source, as `crate::scope::ScopeSet` or `http::HeaderMap`.
pub(super) struct Reference {
    pub(super) line: usize,
    pub(super) spelled: Vec<String>,
    /// The path from the crate's root, where `crate`, `self` or `super` leads there.
    pub(super) in_crate: Option<Vec<String>>,
    pub(super) is_macro: bool,
}

/// Every path of a file, of `use` trees each leaf.
pub(super) fn references(text: &str, modules: &[&str]) -> Vec<Reference> {
    let mut scanner = Scanner {
        tokens: lex(text),
        at: 0,
        modules: modules.iter().map(|name| (*name).to_owned()).collect(),
        inline: Vec::new(),
        depth: 0,
        found: Vec::new(),
    };
    scanner.run();
    scanner.found
}

struct Scanner<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    at: usize,
    /// Where we are: the file's modules and the inline ones around this place.
    modules: Vec<String>,
    /// The depth of braces at which each inline module began.
    inline: Vec<usize>,
    depth: usize,
    found: Vec<Reference>,
}

impl<'a> Scanner<'a> {
    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).map(|(_, token)| *token)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |(line, _)| *line)
    }

    fn run(&mut self) {
        use Token::{Punct, Separator, Word};
        while let Some(token) = self.peek(0) {
            match (token, self.peek(1), self.peek(2)) {
                (Word("mod"), Some(Word(name)), Some(Punct('{'))) => {
                    self.modules.push(name.to_owned());
                    self.inline.push(self.depth);
                    self.depth += 1;
                    self.at += 3;
                }
                // `use<'a>` in a return type captures lifetimes; it imports nothing.
                (Word("use"), next, _) if next != Some(Punct('<')) => {
                    self.at += 1;
                    self.use_tree(&[]);
                }
                (Word(word), ..) if !BEFORE_A_PATH.contains(&word) => self.path(true),
                (Separator, Some(Word(_)), _) => {
                    self.at += 1;
                    // After `<T as Trait>` the path goes on; anywhere else it starts at the crates.
                    let starts = !self.follows_generics();
                    self.path(starts);
                }
                (Punct('{'), ..) => {
                    self.depth += 1;
                    self.at += 1;
                }
                (Punct('}'), ..) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.inline.last() == Some(&self.depth) {
                        self.inline.pop();
                        self.modules.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Whether a `>` that is no arrow stands before the separator just passed.
    fn follows_generics(&self) -> bool {
        let before = |n: usize| self.at.checked_sub(n).map(|at| self.tokens[at].1);
        before(2) == Some(Token::Punct('>')) && !matches!(before(3), Some(Token::Punct('-' | '=')))
    }

    fn path(&mut self, record: bool) {
        let line = self.line();
        let mut spelled = Vec::new();
        while let Some(Token::Word(name)) = self.peek(0) {
            spelled.push(name);
            self.at += 1;
            match (self.peek(0), self.peek(1)) {
                (Some(Token::Separator), Some(Token::Word(_))) => self.at += 1,
                _ => break,
            }
        }
        let is_macro =
            self.peek(0) == Some(Token::Punct('!')) && self.peek(1) != Some(Token::Punct('='));
        if record && spelled.len() > 1 {
            self.push(line, &spelled, is_macro);
        }
    }

    fn use_tree(&mut self, prefix: &[&'a str]) {
        let line = self.line();
        let mut spelled = prefix.to_vec();
        loop {
            match self.peek(0) {
                Some(Token::Word("as")) => {
                    self.at += 2;
                    break;
                }
                Some(Token::Word(name)) => spelled.push(name),
                Some(Token::Separator | Token::Punct('$')) => {}
                Some(Token::Punct('*')) => spelled.push("*"),
                Some(Token::Punct('{')) => return self.use_group(&spelled),
                _ => break,
            }
            self.at += 1;
        }
        if spelled.len() > 1 && spelled.last() == Some(&"self") {
            spelled.pop();
        }
        if !spelled.is_empty() {
            self.push(line, &spelled, false);
        }
    }

    fn use_group(&mut self, prefix: &[&'a str]) {
        self.at += 1;
        loop {
            let start = self.at;
            match self.peek(0) {
                None | Some(Token::Punct(';')) => return,
                Some(Token::Punct('}')) => {
                    self.at += 1;
                    return;
                }
                Some(Token::Punct(',')) => self.at += 1,
                Some(_) => self.use_tree(prefix),
            }
            self.at = self.at.max(start + 1);
        }
    }

    fn push(&mut self, line: usize, spelled: &[&str], is_macro: bool) {
        let spelled: Vec<String> = spelled.iter().map(|name| (*name).to_owned()).collect();
        let in_crate = self.resolve(&spelled);
        self.found.push(Reference { line, spelled, in_crate, is_macro });
    }

    fn resolve(&self, spelled: &[String]) -> Option<Vec<String>> {
        let (mut base, mut rest) = match spelled[0].as_str() {
            "crate" => (&[][..], &spelled[1..]),
            "self" => (&self.modules[..], &spelled[1..]),
            "super" => (&self.modules[..], spelled),
            _ => return None,
        };
        while let Some(("super", after)) = rest.split_first().map(|(name, after)| (&**name, after))
        {
            base = base.split_last().map_or(base, |(_, parents)| parents);
            rest = after;
        }
        Some([base, rest].concat())
    }
}

/// Keywords after which a path may begin with `::`.
const BEFORE_A_PATH: &[&str] = &[
    "as", "break", "dyn", "else", "for", "if", "impl", "in", "match", "move", "mut", "return",
    "unsafe", "where", "while",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Separator,
    Punct(char),
}

/// Splits Rust source into what paths are made of, with the line of each; comments, strings,
/// characters, lifetimes and numbers are left out.
fn lex(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, token) = next_token(rest, first);
        if let Some(token) = token {
            tokens.push((line, token));
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn next_token(rest: &str, first: char) -> (usize, Option<Token<'_>>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if rest.starts_with("::") {
        return (2, Some(Token::Separator));
    }
    if let Some(length) = raw_string(rest) {
        return (length, None);
    }
    match first {
        '"' => (string(rest), None),
        '\'' => (character_or_lifetime(rest), None),
        '0'..='9' => (word(rest), None),
        _ if first == '_' || first.is_alphabetic() => {
            let skip = if rest.starts_with("r#") { 2 } else { 0 };
            let length = skip + word(&rest[skip..]);
            (length, Some(Token::Word(&rest[skip..length])))
        }
        _ if first.is_whitespace() => (first.len_utf8(), None),
        _ => (first.len_utf8(), Some(Token::Punct(first))),
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = ["r", "br", "cr"].iter().find_map(|prefix| {
        let body = rest.strip_prefix(prefix)?;
        body.trim_start_matches('#').starts_with('"').then_some(body)
    })?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let start = rest.len() - body.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let start = at + escaped.len_utf8();
            rest[start..].find('\'').map_or(rest.len(), |end| start + end + 1)
        }
        (_, Some((at, '\''))) => at + 1,
        _ => 1 + word(&rest[1..]),
    }
}
