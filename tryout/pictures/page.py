"""A page of cards and text, measured in pixels from its top left corner, as a browser lays a dashboard out."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DPI = 100
FONT = "DejaVu Sans"  # comes with matplotlib, and so looks the same everywhere
INK, GREY, LIGHT, BACKGROUND, LINK = "#16191f", "#687078", "#eaeded", "#f2f3f3", "#0073bb"
STYLE: Any = {  # matplotlib's names, as its matplotlibrc has them
    "font.family": FONT,
    "text.parse_math": False,
    "axes.edgecolor": "#aab7b8",
    "axes.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    def within(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "Box":
        """The same without its margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


def styled() -> AbstractContextManager[object]:
    """Within, matplotlib's settings are those of a dashboard."""
    import matplotlib as mpl

    return mpl.rc_context(STYLE)


class Page:
    """A picture to draw on, within ``styled``."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties

        self.width, self.height = width, height
        self._font = FontProperties
        self.figure: Any = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
        canvas: Any = FigureCanvasAgg(self.figure)
        self._renderer: Any = canvas.get_renderer()

    def card(self, box: Box, color: str = "white", edge: str = "#d5dbdb") -> None:
        """A filled rectangle with a border."""
        from matplotlib.patches import Rectangle

        x, y = self._place(box.x, box.y + box.height)
        size = box.width / self.width, box.height / self.height
        look: Any = {"facecolor": color, "edgecolor": edge, "linewidth": 0.8, "zorder": -1}  # below the axes, in order
        self.figure.add_artist(Rectangle((x, y), *size, transform=self.figure.transFigure, **look))

    def axes(self, box: Box) -> Any:
        """Axes that fill a box."""
        x, y = self._place(box.x, box.y + box.height)
        return self.figure.add_axes((x, y, box.width / self.width, box.height / self.height))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        pixels: float = 11,
        color: str = INK,
        bold: bool = False,
        italic: bool = False,
        align: str = "left",
    ) -> None:
        """A line of text, centred at *y*."""
        self.figure.text(
            *self._place(x, y),
            text,
            fontsize=_points(pixels),
            color=color,
            weight="bold" if bold else "normal",
            style="italic" if italic else "normal",
            ha=align,
            va="center_baseline",
        )

    def measure(self, text: str, pixels: float = 11, bold: bool = False) -> float:
        """Width of a text in pixels."""
        font = self._font(family=FONT, size=_points(pixels), weight="bold" if bold else "normal")
        width, _, _ = self._renderer.get_text_width_height_descent(text or " ", font, False)
        return float(width)

    def shortened(self, text: str, width: float, pixels: float = 11, bold: bool = False) -> str:
        """As much of a text as fits, with an ellipsis if that is not all."""
        if self.measure(text, pixels, bold) <= width:
            return text
        while text and self.measure(text + "…", pixels, bold) > width:
            text = text[:-1]
        return text.rstrip() + "…"

    def wrapped(self, text: str, width: float, pixels: float = 11, bold: bool = False) -> list[str]:
        """A text in lines that fit; a word that is too long is shortened."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.measure(longer, pixels, bold) <= width:
                lines[-1] = longer
            else:
                lines.append(self.shortened(word, width, pixels, bold))
        return lines

    def lines(self, box: Box, lines: Sequence[str], *, pixels: float = 11, **look: Any) -> None:
        """Lines of text in the middle of a box."""
        height = 1.45 * pixels
        top = box.y + (box.height - height * len(lines)) / 2 + height / 2
        for number, line in enumerate(lines):
            self.text(box.x + box.width / 2, top + number * height, line, pixels=pixels, align="center", **look)

    def write(self, path: Path) -> None:
        """Writes it in 256 colours, more than a dashboard has; the same bytes for the same drawing and versions."""
        from PIL import Image

        path.parent.mkdir(parents=True, exist_ok=True)
        canvas = self.figure.canvas
        canvas.draw()
        picture = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")
        picture.quantize(256, dither=Image.Dither.NONE).save(path, "PNG", optimize=True)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return x / self.width, 1 - y / self.height


def _points(pixels: float) -> float:
    return pixels * 72 / DPI


def grid(box: Box, count: int, columns: int) -> Iterator[Box]:
    """*count* equal boxes in rows of *columns*."""
    down = -(-count // columns)
    for number in range(count):
        row, column = divmod(number, columns)
        width, height = box.width / columns, box.height / down
        yield Box(box.x + column * width, box.y + row * height, width, height)
