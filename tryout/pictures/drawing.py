"""Draws a kept dashboard as CloudWatch lays it out: a grid of 24 columns, each widget in its place.

What looks like CloudWatch here is to be recognised, not to be taken for a screenshot; the caption says so.
"""

from pathlib import Path

from tryout.dashboards.body import Widget
from tryout.dashboards.kept import Kept
from tryout.pictures import markdown
from tryout.pictures.graphs import Graph
from tryout.pictures.page import BACKGROUND, GREY, INK, LIGHT, LINK, Box, Page, grid, styled
from tryout.pictures.window import Window

UNIT_WIDTH, UNIT_HEIGHT = 60, 50
MARGIN, GAP, HEAD, FOOT = 16, 4, 46, 50
STATES = {"OK": ("#e9f4e4", "#1d8102"), "ALARM": ("#fdf0ee", "#d13212"), "INSUFFICIENT_DATA": (LIGHT, GREY)}
NOT_DRAWN = {
    "explorer": "CloudWatch finds its resources by tag while it shows the widget",
    "log": "it is a query of CloudWatch Logs Insights",
    "custom": "a function draws it",
    "chart": "it is a query of CloudWatch",
}


def draw(kept: Kept, path: Path) -> None:
    """Writes the picture of a dashboard as a PNG, the same bytes for the same data and version of matplotlib.

    Raises:
        DashboardError: its widgets overlap or leave the grid.
    """
    with styled():
        drawn(kept).write(path)


def drawn(kept: Kept) -> Page:
    """The picture before it is written."""
    with styled():
        return _drawn(kept)


def _drawn(kept: Kept) -> Page:
    widgets = kept.widgets
    rows = max((widget.y + widget.height for widget in widgets), default=2)
    page = Page(2 * MARGIN + 24 * UNIT_WIDTH, HEAD + rows * UNIT_HEIGHT + FOOT)
    page.text(MARGIN + GAP, HEAD / 2 + 2, kept.dashboard, pixels=18, bold=True)
    window = Window.of(kept)
    for widget in widgets:
        _draw(page, kept, widget, Window.of(kept, widget) if "start" in widget.properties else window)
    if not widgets:
        page.lines(Box(0, HEAD, page.width, rows * UNIT_HEIGHT), ["This dashboard has no widgets."], color=GREY)
    _caption(page, kept, window)
    return page


def place(widget: Widget) -> Box:
    """Where a widget is drawn."""
    cell = Box(
        MARGIN + widget.x * UNIT_WIDTH,
        HEAD + widget.y * UNIT_HEIGHT,
        widget.width * UNIT_WIDTH,
        widget.height * UNIT_HEIGHT,
    )
    return cell.within(GAP, GAP, GAP, GAP)


def _draw(page: Page, kept: Kept, widget: Widget, window: Window) -> None:
    box = place(widget)
    transparent = widget.type == "text" and widget.properties.get("background") == "transparent"
    page.card(box, *([BACKGROUND, BACKGROUND] if transparent else []))
    inner = box
    if widget.title:
        title = page.shortened(widget.title, box.width - 24, 13, bold=True)
        page.text(box.x + 12, box.y + 17, title, pixels=13, bold=True)
        inner = box.within(top=30)
    if widget.type == "metric":
        _metric(page, kept, widget, inner, window)
    elif widget.type == "text":
        _text(page, str(widget.properties.get("markdown", "")), inner)
    elif widget.type == "alarm":
        _alarms(page, kept, widget, inner)
    else:
        why = NOT_DRAWN.get(widget.type, "this repository does not know this type")
        _empty(page, inner, f"{widget.type} widget", f"drawn empty: {why}")


def _metric(page: Page, kept: Kept, widget: Widget, box: Box, window: Window) -> None:
    if why := kept.why_empty(widget):
        _empty(page, box, "No data available.", f"drawn empty: {why}")
        return
    Graph(page, kept, widget, box, window).draw()


def _empty(page: Page, box: Box, head: str, why: str) -> None:
    lines = page.wrapped(why, box.width - 32)
    room = max(1, int((box.height - 24) // 16))
    if len(lines) > room:
        lines = [*lines[: room - 1], page.shortened(" ".join(lines[room - 1 :]), box.width - 32)]
    half = min(34.0, box.height / 3)
    page.lines(Box(box.x, box.y, box.width, box.height - half), [head], pixels=13, color=INK)
    page.lines(box.within(top=half), lines, color=GREY, italic=True)


def _text(page: Page, text: str, box: Box) -> None:
    inside = box.within(14, 10, 14, 6)
    y = inside.y
    source = list(markdown.parse(text))
    for number, line in enumerate(source):
        width = (inside.width - line.indent) / len(line.cells)
        cells = [page.wrapped(cell, width - 8, line.pixels, line.bold) or [""] for cell in line.cells]
        step = line.pixels * (1.5 if line.pixels >= markdown.PIXELS else 1)
        deep = max(len(cell) for cell in cells) * step
        above = max(0.0, line.height - step) / 2
        deep = max(deep + above, line.height)
        if y + deep > inside.y + inside.height + step / 2:
            left = sum(any(each.cells) for each in source[number:])
            note = f"… {left} more lines: CloudWatch scrolls"
            page.text(inside.x, inside.y + inside.height - 4, note, color=GREY, italic=True)
            return
        for column, cell in enumerate(cells):
            for row, part in enumerate(cell):
                x = inside.x + line.indent + column * width
                color = LINK if line.link else INK
                page.text(x, y + above + (row + 0.5) * step, part, pixels=line.pixels, bold=line.bold, color=color)
        if line.height:
            page.card(Box(inside.x, y + deep - 1, inside.width, 0.6), LIGHT, LIGHT)
        y += deep


def _alarms(page: Page, kept: Kept, widget: Widget, box: Box) -> None:
    found = [kept.alarms[arn] for arn in widget.properties.get("alarms") or []]
    if not found:
        _empty(page, box, "No alarms.", "the widget names none")
        return
    columns = max(1, int(box.width // 240))
    for cell, alarm in zip(grid(box.within(10, 0, 10, 10), len(found), columns), found, strict=True):
        fill, ink = STATES.get(alarm.state, ("white", GREY))
        tile = cell.within(3, 3, 3, 3)
        page.card(tile, fill, ink)
        state = alarm.state.replace("_", " ").capitalize() if alarm.state not in ("", "OK") else alarm.state
        lines = [page.shortened(alarm.name, tile.width - 16, 11, bold=True), state or "state not known here"]
        page.lines(tile, lines if tile.height > 34 else lines[:1], color=ink)


def _caption(page: Page, kept: Kept, window: Window) -> None:
    whose = kept.solution + (f", {kept.variant}" if kept.variant != "default" else "")
    shown = f" Shown: {window.text}, the time that has data." if window.text else ""
    lines = [
        "Drawn by this repository (make pictures) from the dashboard's body; not a screenshot of CloudWatch.",
        f"Metrics: what the scenario of {whose} left in the embedded AWS.{shown}",
    ]
    for number, line in enumerate(lines):
        y = page.height - FOOT + 16 + 17 * number
        page.text(MARGIN + GAP, y, page.shortened(line, page.width - 40), color=GREY, italic=True)
