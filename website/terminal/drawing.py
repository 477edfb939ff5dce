"""An asciinema recording as SVG: every line appears when it came, in a shorter time; no script."""

import json
from collections.abc import Sequence
from html import escape

Event = tuple[float, str]
"""Seconds since the beginning, and a line of the terminal."""

_LINE, _CHARACTER, _MARGIN, _BAR = 18, 7.9, 14, 28
_STYLE = """\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:#d7dce8;white-space:pre}
.typed{fill:#8fd694;font-weight:bold}.quiet{fill:#8d96ab}
.line{opacity:0;animation:come 1ms forwards}@keyframes come{to{opacity:1}}
@media (prefers-reduced-motion:reduce){.line{opacity:1;animation:none}}"""


def cast(command: str, events: Sequence[Event], width: int) -> str:
    """The recording as a file of asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/)."""
    head = {"version": 2, "width": width, "height": len(events) + 1, "title": command}
    typed = [0.0, "o", f"$ {command}\r\n"]
    lines = [head, typed, *([round(at, 2), "o", f"{text}\r\n"] for at, text in events)]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def picture(recording: str, *, seconds: float = 12) -> str:
    """The recording as SVG that plays in so many seconds; who wants no motion sees its end."""
    head, *rest = (json.loads(line) for line in recording.splitlines())
    events = [(at, text.rstrip("\r\n")) for at, kind, text in rest if kind == "o"]
    pace = seconds / max(1e-9, events[-1][0])
    columns = max(head["width"], *(len(text) for _, text in events))
    width, height = round(columns * _CHARACTER + 2 * _MARGIN), len(events) * _LINE + 2 * _MARGIN + _BAR
    dots = "".join(f'<circle cx="{18 + 18 * n}" cy="16" r="5" fill="#4a5266"/>' for n in range(3))
    lines = "".join(
        f'<text class="line{_kind(text)}" style="animation-delay:{at * pace:.2f}s" x="{_MARGIN}" '
        f'y="{_BAR + _MARGIN + (row + 0.75) * _LINE:.0f}">{escape(text)}</text>'
        for row, (at, text) in enumerate(events)
        if text
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img">'
        f"<title>{escape(head['title'])}</title><style>{_STYLE}</style>"
        f'<rect width="{width}" height="{height}" rx="8" fill="#171b26"/>{dots}{lines}</svg>\n'
    )


def _kind(text: str) -> str:
    if text.startswith("$ "):
        return " typed"
    return " quiet" if text.startswith(("try: ", "install: ")) else ""
