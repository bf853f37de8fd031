//! The terminal while the view has it: its mode, and a block of lines that is redrawn in place.
//!
//! The block stands where the cursor was, so that what was printed before it stays in the scrollback. The cursor rests
//! in its last line.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Instant;

use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{cursor, queue, terminal};

use super::limits::PANIC_PAUSE;
use super::line::{Line, Style};
use super::log_lines;

/// The name of the only thread that draws.
pub(super) const THREAD: &str = "live view";

/// There is one terminal in a process, and a panic anywhere must find it.
static SCREEN: Mutex<Screen> = Mutex::new(Screen { holder: Holder::Process, block: Vec::new(), columns: 0 });

#[derive(Debug)]
struct Screen {
    holder: Holder,
    /// What stands on the screen.
    block: Vec<Line>,
    /// The width for which it was drawn.
    columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Process,
    View,
    /// A panic needs the terminal for its message; the view may have it back afterwards.
    Panic {
        until: Instant,
    },
}

/// Gives the terminal back as it was, without the view's block, and lets the log go to standard error again.
///
/// The end of a view does this. It is for those who leave by [`std::process::exit`]; it may be called at any time.
pub fn restore_terminal() {
    let mut screen = screen();
    screen.give_back();
    screen.holder = Holder::Process;
    drop(screen);
    log_lines::release();
}

/// Takes the terminal for the view.
pub(super) fn take() -> io::Result<()> {
    static HOOK: Once = Once::new();
    let mut screen = screen();
    if screen.holder != Holder::Process {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a live view on this terminal already"));
    }
    screen.enter()?;
    HOOK.call_once(give_way_to_panics);
    log_lines::hold();
    Ok(())
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (u16, u16) {
    match terminal::window_size() {
        Ok(size) if size.columns > 0 && size.rows > 0 => (size.columns, size.rows),
        _ => (80, 24),
    }
}

/// Prints log lines above the block and draws the block anew.
pub(super) fn draw(lines: Vec<Line>, columns: u16, coloured: bool) -> io::Result<()> {
    let mut screen = screen();
    match screen.holder {
        Holder::View => {}
        Holder::Panic { until } if Instant::now() >= until => screen.enter()?,
        Holder::Panic { .. } | Holder::Process => return Ok(()),
    }
    let (above, columns) = (log_lines::take(), usize::from(columns));
    if above.is_empty() && screen.block == lines && screen.columns == columns {
        return Ok(());
    }
    let drawn = redraw(&screen.block, &above, &lines, columns, coloured)?;
    (screen.block, screen.columns) = (lines, columns);
    write(&drawn)
}

impl Screen {
    fn enter(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        self.holder = Holder::View;
        let mut out = Vec::new();
        queue!(out, cursor::Hide)?;
        write(&out)
    }

    /// Errors are left alone: if the terminal is gone there is nothing to restore.
    fn give_back(&mut self) {
        if self.holder == Holder::View {
            let mut out = Vec::new();
            let _ = to_start(&mut out, &self.block, usize::from(size().0));
            let _ = queue!(out, Clear(ClearType::FromCursorDown), cursor::Show);
            let _ = write(&out);
            let _ = terminal::disable_raw_mode();
            self.block.clear();
        }
    }
}

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Panics that are caught elsewhere do not end the view, they only interrupt it.
fn give_way_to_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some(THREAD) {
            // It may hold the lock; the end of the thread does the rest.
            let _ = terminal::disable_raw_mode();
        } else {
            let mut screen = screen();
            screen.give_back();
            if screen.holder != Holder::Process {
                screen.holder = Holder::Panic { until: Instant::now() + PANIC_PAUSE };
            }
        }
        report(panic);
    }));
}

/// All in one write, so that no half of it is ever seen.
fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn redraw(block: &[Line], above: &[String], lines: &[Line], columns: usize, coloured: bool) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    queue!(out, BeginSynchronizedUpdate)?;
    to_start(&mut out, block, columns)?;
    for line in above {
        queue!(out, Clear(ClearType::FromCursorDown), Print(line), Print("\r\n"))?;
    }
    for (n, line) in lines.iter().enumerate() {
        // Clearing after a full line would take its last character, so the last line is cleared before it is written.
        if n + 1 == lines.len() {
            queue!(out, Clear(ClearType::FromCursorDown))?;
        }
        line.spans().iter().try_for_each(|(style, text)| print(&mut out, *style, text, coloured))?;
        if n + 1 < lines.len() {
            if line.width() < columns {
                queue!(out, Clear(ClearType::UntilNewLine))?;
            }
            queue!(out, Print("\r\n"))?;
        }
    }
    queue!(out, EndSynchronizedUpdate)?;
    Ok(out)
}

/// Moves to the start of the block. On a terminal that was made narrower since, its lines were broken into several rows.
fn to_start(out: &mut Vec<u8>, block: &[Line], columns: usize) -> io::Result<()> {
    let rows: usize = block.iter().map(|line| line.width().div_ceil(columns.max(1)).max(1)).sum();
    queue!(out, Print("\r"))?;
    match u16::try_from(rows.saturating_sub(1)).unwrap_or(u16::MAX) {
        0 => Ok(()),
        up => queue!(out, cursor::MoveUp(up)),
    }
}

fn print(out: &mut Vec<u8>, style: Style, text: &str, coloured: bool) -> io::Result<()> {
    let (attribute, colour) = match style {
        Style::Plain => return queue!(out, Print(text)),
        Style::Strong => (Some(Attribute::Bold), None),
        Style::Dim => (Some(Attribute::Dim), None),
        Style::Good => (None, Some(Color::Green)),
        Style::Warning => (None, Some(Color::Yellow)),
        Style::Bad => (None, Some(Color::Red)),
        Style::Accent => (None, Some(Color::Cyan)),
    };
    if let Some(attribute) = attribute {
        queue!(out, SetAttribute(attribute))?;
    }
    if let Some(colour) = colour.filter(|_| coloured) {
        queue!(out, SetForegroundColor(colour))?;
    }
    queue!(out, Print(text), SetAttribute(Attribute::Reset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line::of(Style::Plain, text)).collect()
    }

    fn drawn(block: &[Line], above: &[String], lines: &[Line], columns: usize) -> String {
        let drawn = String::from_utf8(redraw(block, above, lines, columns, true).expect("a vector takes all"));
        let drawn = drawn.expect("text").replace("\x1b[?2026h", "").replace("\x1b[?2026l", "");
        drawn.replace("\x1b[K", "<line>").replace("\x1b[J", "<down>").replace("\x1b[", "^")
    }

    #[test]
    fn a_block_is_drawn_over_the_one_before_and_never_scrolls() {
        let (first, second) = (plain(&["a", "bb", "cc"]), plain(&["four", "e"]));
        assert_eq!(drawn(&[], &[], &first, 4), "\ra<line>\r\nbb<line>\r\n<down>cc");
        assert_eq!(drawn(&first, &[], &second, 4), "\r^2Afour\r\n<down>e", "a full line needs no clearing");
    }

    #[test]
    fn log_lines_push_the_block_down() {
        let block = plain(&["a", "b"]);
        let logged = ["one".to_owned(), "two".to_owned()];
        assert_eq!(drawn(&block, &logged, &block, 9), "\r^1A<down>one\r\n<down>two\r\na<line>\r\n<down>b");
    }

    #[test]
    fn lines_that_a_narrower_terminal_broke_are_found_again() {
        let block = plain(&["123456", "", "123"]);
        assert_eq!(drawn(&block, &[], &plain(&["x"]), 2), "\r^5A<down>x");
    }

    #[test]
    fn without_colours_there_is_still_weight() {
        let line = |coloured| {
            let lines = [Line::of(Style::Bad, "b").and(Style::Strong, "s")];
            String::from_utf8(redraw(&[], &[], &lines, 9, coloured).expect("a vector takes all")).expect("text")
        };
        assert!(line(true).contains("\x1b[38;5;9mb\x1b[0m\x1b[1ms\x1b[0m"), "{:?}", line(true));
        assert!(line(false).contains("\x1b[Jb\x1b[0m\x1b[1ms\x1b[0m"), "{:?}", line(false));
    }
}
