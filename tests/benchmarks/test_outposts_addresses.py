"""The picture of the addresses shows what the ranges say, and is the one of this data."""

from PIL import Image

from benchmarks.outposts_addresses import PICTURE, data, digest, is_inside


def test_each_mode_is_seen_by_its_own_range() -> None:
    shown = data()
    for panel in shown.values():
        assert is_inside(panel["seen"], panel["advertised"])
        assert is_inside(panel["server"], panel["on_premises"])
    direct, coip = shown["direct-vpc-routing"], shown["coip"]
    assert direct["seen"] == direct["instance"] == coip["instance"] != coip["seen"]
    assert (direct["advertised"], coip["advertised"]) == ("10.0.0.0/22", "172.16.0.0/26")
    assert coip["instance"] in coip["gateway"] and coip["seen"] in coip["gateway"]


def test_the_picture_is_of_these_addresses() -> None:
    with Image.open(PICTURE) as picture:
        assert picture.text["Description"] == digest(data()), "run 'python -m benchmarks.outposts_addresses'"  # type: ignore[attr-defined]
