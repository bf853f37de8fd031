//! A line chart as inline SVG: axes, grid lines, legend, and a tooltip for each moment.
//!
//! Colours come from CSS classes, so one chart serves light and dark. Nothing moves and nothing is scripted: tooltips
//! are `<title>` elements of invisible columns.

use std::fmt::Write;

use super::axis::Tick;

/// What a chart shows.
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// Of the vertical axis.
    pub(super) unit: &'static str,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    /// Up to where the chart is shaded because it does not count: a fraction of the horizontal axis, 0 for nothing.
    pub(super) warm_up_until: f64,
    pub(super) lines: Vec<Line>,
    pub(super) tooltips: Vec<Tooltip>,
}

/// A line; coordinates are fractions of the axes, `None` is a gap.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The CSS class that gives it its colour.
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A text for the part of the chart that is nearer to `at` than to the others'.
pub(super) struct Tooltip {
    pub(super) at: f64,
    pub(super) text: String,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 38.0;
const BOTTOM: f64 = 44.0;

/// The chart as a `<figure>`.
pub(super) fn figure(chart: &Chart) -> String {
    let mut html = format!("<figure class=\"chart\"><figcaption><h3>{}</h3>", escaped(chart.title));
    html += "<ul class=\"legend\">";
    for line in &chart.lines {
        html += &format!("<li class=\"{}\"><i></i>{}</li>", escaped(line.class), escaped(line.name));
    }
    html += "</ul></figcaption>";
    html += &format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escaped(chart.title));
    html += &warm_up(chart.warm_up_until);
    html += &axes(chart);
    for line in &chart.lines {
        html += &format!("<path class=\"line {}\" d=\"{}\"/>", escaped(line.class), path(&line.points));
    }
    html += &tooltips(&chart.tooltips);
    html + "</svg></figure>"
}

fn warm_up(until: f64) -> String {
    if until <= 0.0 {
        return String::new();
    }
    let (width, height) = (x_of(until) - LEFT, HEIGHT - TOP - BOTTOM);
    format!(
        "<rect class=\"warm-up\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>\
         <text class=\"warm-up-label\" x=\"{LEFT}\" y=\"16\">warm-up, does not count</text>"
    )
}

fn axes(chart: &Chart) -> String {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut svg = format!("<text class=\"unit\" x=\"{:.0}\" y=\"16\">{}</text>", LEFT - 8.0, escaped(chart.unit));
    for tick in &chart.y_ticks {
        let (y, label) = (y_of(tick.at), escaped(&tick.label));
        let class = if tick.at == 0.0 { "base" } else { "grid" };
        let text_x = LEFT - 8.0;
        let _ = write!(svg, "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>");
        let _ = write!(svg, "<text class=\"y\" x=\"{text_x}\" y=\"{y:.1}\" dy=\".35em\">{label}</text>");
    }
    for tick in &chart.x_ticks {
        let (x, label) = (x_of(tick.at), escaped(&tick.label));
        let (mark_end, text_y) = (bottom + 5.0, bottom + 26.0);
        let _ = write!(svg, "<line class=\"base\" x1=\"{x:.1}\" y1=\"{bottom}\" x2=\"{x:.1}\" y2=\"{mark_end}\"/>");
        let _ = write!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{text_y}\">{label}</text>");
    }
    svg
}

/// Line segments, broken at gaps; a point between two gaps becomes a dot.
fn path(points: &[(f64, Option<f64>)]) -> String {
    let mut path = String::new();
    for stretch in points.split(|(_, y)| y.is_none()) {
        for (at, (x, y)) in stretch.iter().enumerate() {
            let command = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", x_of(*x), y_of(y.unwrap_or(0.0)));
        }
        if stretch.len() == 1 {
            path += "h0";
        }
    }
    path
}

fn tooltips(tooltips: &[Tooltip]) -> String {
    let mut svg = String::new();
    let middle = |left: &Tooltip, right: &Tooltip| (left.at + right.at) / 2.0;
    for (at, tooltip) in tooltips.iter().enumerate() {
        let from = if at == 0 { 0.0 } else { middle(&tooltips[at - 1], tooltip) };
        let to = tooltips.get(at + 1).map_or(1.0, |next| middle(tooltip, next));
        let (x, width, height) = (x_of(from), (x_of(to) - x_of(from)).max(0.0), HEIGHT - TOP - BOTTOM);
        let text = escaped(&tooltip.text);
        let _ = write!(
            svg,
            "<g class=\"moment\"><title>{text}</title>\
             <rect x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/></g>"
        );
    }
    svg
}

fn x_of(fraction: f64) -> f64 {
    LEFT + fraction.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn y_of(fraction: f64) -> f64 {
    HEIGHT - BOTTOM - fraction.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#x27;",
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_gaps_and_lone_points_stay_visible() {
        let points = [(0.0, Some(0.0)), (0.5, Some(1.0)), (0.6, None), (1.0, Some(0.5))];
        assert_eq!(path(&points), "M64.0 246.0L340.0 38.0M616.0 142.0h0");
    }

    #[test]
    fn tooltips_share_the_width_without_gap_or_overlap() {
        let at = |at| Tooltip { at, text: "a < b".to_owned() };
        let svg = tooltips(&[at(0.0), at(0.5), at(1.0)]);
        assert!(svg.contains("<title>a &lt; b</title>"));
        let edges: Vec<_> = svg.split("<rect x=\"").skip(1).filter_map(|rect| rect.split('"').next()).collect();
        assert_eq!(edges, ["64.0", "202.0", "478.0"]);
    }
}
