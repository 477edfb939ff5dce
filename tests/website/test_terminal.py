"""A recording keeps what was seen and when; its picture plays it and shows its end to who wants no motion."""

import json
import xml.etree.ElementTree as ET

from website.terminal.drawing import cast, picture

EVENTS = [(1.0, "try: <begins>"), (3.0, ""), (4.0, "all & well")]
RECORDING = cast("make try", EVENTS, 80)


def test_a_recording_is_an_asciicast_of_the_command_and_its_lines() -> None:
    head, *events = map(json.loads, RECORDING.splitlines())
    assert head == {"version": 2, "width": 80, "height": 4, "title": "make try"}
    assert events == [
        [0.0, "o", "$ make try\r\n"],
        [1.0, "o", "try: <begins>\r\n"],
        [3.0, "o", "\r\n"],
        [4.0, "o", "all & well\r\n"],
    ]


def test_the_picture_shows_each_line_in_its_time() -> None:
    drawn = ET.fromstring(picture(RECORDING, seconds=2))  # noqa: S314 - our own
    lines = drawn.findall("{http://www.w3.org/2000/svg}text")
    assert [(line.text, line.get("style")) for line in lines] == [
        ("$ make try", "animation-delay:0.00s"),
        ("try: <begins>", "animation-delay:0.50s"),
        ("all & well", "animation-delay:2.00s"),
    ]
    assert "prefers-reduced-motion" in picture(RECORDING)
