//! A line of text with styles, that knows its width in terminal columns.

use unicode_width::UnicodeWidthChar;

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What explains the rest.
    Dim,
    /// Good news.
    Good,
    /// What wants attention.
    Warning,
    /// Bad news.
    Bad,
    /// Bars and curves.
    Accent,
}

/// A line for the terminal. It holds no control characters and its width is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<(Style, String)>,
    width: usize,
}

impl Line {
    /// A line of one piece.
    #[must_use]
    pub fn of(style: Style, text: &str) -> Self {
        Self::default().and(style, text)
    }

    /// Adds a piece. Line breaks become spaces and other control characters `�`; invisible ones that change how others are shown are dropped.
    #[must_use]
    pub fn and(mut self, style: Style, text: &str) -> Self {
        let text = printable(text);
        self.width += width(&text);
        self.spans.push((style, text));
        self
    }

    /// Puts another line at the right edge. The right one is kept whole as long as it fits; the left one is cut.
    #[must_use]
    pub fn and_right(self, right: Self, columns: usize) -> Self {
        let right = right.fit(columns);
        let mut line = self.fit(columns.saturating_sub(right.width + 1));
        let gap = columns.saturating_sub(line.width + right.width);
        line = line.and(Style::Plain, &" ".repeat(gap));
        line.width += right.width;
        line.spans.extend(right.spans);
        line
    }

    /// Cuts the line to a number of columns.
    #[must_use]
    pub fn fit(mut self, columns: usize) -> Self {
        if self.width <= columns {
            return self;
        }
        let mut left = columns;
        for (_, text) in &mut self.spans {
            let whole = width(text);
            // An ellipsis stands where the text breaks off, be it between two pieces.
            *text = if whole < left { std::mem::take(text) } else { cut(&format!("{text}…"), left) };
            left -= width(text);
        }
        self.spans.retain(|(_, text)| !text.is_empty());
        self.width = columns - left;
        self
    }

    /// Columns that the line takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Its pieces.
    #[must_use]
    pub fn spans(&self) -> &[(Style, String)] {
        &self.spans
    }

    /// The text without styles.
    #[must_use]
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Cuts text to a number of columns, with an ellipsis at the end if something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let kept = text.chars().take_while(|&shown| match room.checked_sub(columns_of(shown)) {
        Some(less) => {
            room = less;
            true
        }
        None => false,
    });
    let kept: String = kept.collect();
    if columns == 0 { kept } else { kept + "…" }
}

/// Text cut or padded on the right to exactly so many columns.
pub(super) fn left_aligned(text: &str, columns: usize) -> String {
    let text = cut(&printable(text), columns);
    let padding = " ".repeat(columns - width(&text));
    text + &padding
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(shown: char) -> usize {
    shown.width().unwrap_or(1)
}

/// Names and error texts come from scenarios and servers: nothing in them may steer the terminal.
fn printable(text: &str) -> String {
    let shown = text.chars().filter(|&c| !is_invisible(c));
    let harmless = |c: char| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    shown.map(harmless).collect()
}

/// Joiners, marks of direction, variation selectors and tags: they change the width or the order of their neighbours.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_a_wide_character_would_cross_the_edge() {
        assert_eq!(cut("データ", 6), "データ");
        assert_eq!(cut("データ", 5), "デー…");
        assert_eq!(cut("データ", 4), "デ…");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn nothing_in_a_text_steers_the_terminal() {
        assert_eq!(Line::of(Style::Plain, "a\x1b[2J\r\nb\u{202e}c\u{9b}").text(), "a�[2J  bc�");
    }

    #[test]
    fn the_right_part_outlives_the_left_one() {
        let line =
            |columns| Line::of(Style::Strong, "a long name").and_right(Line::of(Style::Good, "OK"), columns).text();
        assert_eq!(line(16), "a long name   OK");
        assert_eq!(line(8), "a lo… OK");
        assert_eq!(line(2), "OK");
        assert_eq!(line(1), "…");
    }

    #[test]
    fn a_line_is_cut_across_its_pieces() {
        let line = Line::of(Style::Plain, "abc").and(Style::Bad, "def").and(Style::Dim, "ghi");
        assert_eq!(line.clone().fit(9).text(), "abcdefghi");
        assert_eq!(line.clone().fit(5).text(), "abcd…");
        assert_eq!(line.clone().fit(3).text(), "ab…");
        assert_eq!(line.fit(3).width(), 3);
    }
}
