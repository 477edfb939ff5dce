"""``python -m benchmarks.outposts_addresses``: the addresses that a packet has on its way, in both modes, as a picture.

The ranges are the post's example, a /26 of customer-owned addresses for a /22 subnet; the host numbers are made up.
"""

import hashlib
import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from benchmarks.timing import REPOSITORY
from stacks.outposts_routing.ranges import addresses, usable_in_subnet
from stacks.outposts_routing.settings import OutpostsRoutingSettings

PICTURE = REPOSITORY / "docs" / "outposts_routing.png"
SETTINGS = OutpostsRoutingSettings(
    mode="coip",
    coip_cidr="172.16.0.0/26",
    on_premises_cidrs=("192.168.0.0/16",),
    elastic_ips={"y": None},
)
INSTANCE, OWNED, SERVER = 10, 5, 20  # places in their ranges

BLUE, ORANGE, GREY = "#1f77b4", "#d95f02", "#555555"


def data() -> dict[str, Any]:
    """Every address that the picture shows, by mode."""
    assert SETTINGS.subnet_cidr and SETTINGS.coip_cidr
    subnet, pool = IPv4Network(SETTINGS.subnet_cidr), IPv4Network(SETTINGS.coip_cidr)
    instance, owned = str(subnet[INSTANCE]), str(pool[OWNED])
    server = str(IPv4Network(SETTINGS.on_premises_cidrs[0])[SERVER])
    common = {
        "vpc": SETTINGS.vpc_cidr,
        "subnet": f"{subnet}: {usable_in_subnet(subnet)} addresses",
        "instance": instance,
        "on_premises": SETTINGS.on_premises_cidrs[0],
        "server": server,
    }
    return {
        "direct-vpc-routing": {
            **common,
            "seen": instance,
            "advertised": str(subnet),
            "gateway": "no translation",
        },
        "coip": {
            **common,
            "seen": owned,
            "advertised": str(pool),
            "gateway": f"1:1 NAT\n{instance}\n= {owned}",
            "pool": f"pool {pool}: {addresses(pool)} addresses",
        },
    }


def digest(shown: dict[str, Any]) -> str:
    """The fingerprint of the data, which the picture carries: a picture of other addresses is found out."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def is_inside(address: str, network: str) -> bool:
    """Whether an address of the picture is in a range of it."""
    return IPv4Address(address) in IPv4Network(network)


def draw(path: Path) -> None:
    """Writes the picture, the same bytes for the same data and version of matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = data()
    with mpl.rc_context({"font.size": 10}):
        figure = Figure(figsize=(11, 7.6), layout="constrained")
        for axes, (mode, panel) in zip(figure.subplots(2, 1), shown.items(), strict=True):
            _panel(axes, mode, panel)
        figure.savefig(path, dpi=110, metadata={"Software": None, "Description": digest(shown)})


def _panel(axes: Any, mode: str, shown: dict[str, Any]) -> None:
    axes.set(xlim=(0, 110), ylim=(0, 36))
    axes.axis("off")
    axes.set_title(f"mode: {mode}", loc="left", fontweight="bold")
    _box(axes, 1, 1, 35, 32, f"VPC {shown['vpc']}", BLUE, fill="#eef4fa")
    _box(axes, 3, 3, 31, 24, f"Outpost subnet {shown['subnet']}", BLUE, fill="#dbe8f4")
    _box(axes, 7, 7, 21, 13, "", BLUE, fill="white")
    axes.text(17.5, 13.5, f"instance Y\n{shown['instance']}", ha="center", va="center", color=BLUE, fontweight="bold")
    _box(axes, 49, 5, 16, 24, "", GREY, fill="#f3f3f3")
    axes.text(57, 26, "local gateway", ha="center", va="center", fontweight="bold")
    axes.text(57, 17, shown["gateway"], ha="center", va="center", color=ORANGE if "pool" in shown else GREY)
    if pool := shown.get("pool"):
        axes.text(57, 2.2, pool, ha="center", va="center", color=ORANGE)
    _box(axes, 84, 1, 25, 32, f"on premises {shown['on_premises']}", GREY, fill="#f7f7f7")
    _box(axes, 87, 7, 19, 13, "", GREY, fill="white")
    axes.text(96.5, 13.5, f"server\n{shown['server']}", ha="center", va="center", fontweight="bold")
    seen = ORANGE if "pool" in shown else BLUE
    for low, high, colour in ((28, 49, BLUE), (65, 87, seen)):
        _arrow(axes, low, high, 16.5, colour)
        _arrow(axes, high, low, 10.5, colour)
    inner, outer = shown["instance"], shown["seen"]
    for middle, end, colour in ((42.5, inner, BLUE), (74.5, outer, seen)):
        size = 7 if middle < 50 else 9
        axes.text(
            middle, 17.2, f"from {end}\nto {shown['server']}", ha="center", va="bottom", color=colour, fontsize=size
        )
        axes.text(middle, 9.6, f"from {shown['server']}\nto {end}", ha="center", va="top", color=colour, fontsize=size)
    axes.annotate("", (84, 30.5), (65, 27.5), arrowprops={"arrowstyle": "->", "color": GREY, "linestyle": "--"})
    axes.text(74.5, 31, f"BGP: {shown['advertised']}", ha="center", va="bottom", color=GREY, fontsize=9)


def _box(axes: Any, left: float, low: float, width: float, height: float, label: str, colour: str, fill: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, low), width, height, edgecolor=colour, facecolor=fill, linewidth=1.2))
    axes.text(left + 1, low + height - 0.8, label, ha="left", va="top", color=colour, fontsize=9)


def _arrow(axes: Any, start: float, end: float, height: float, colour: str) -> None:
    axes.annotate(
        "", (end, height), (start, height), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.6}
    )


if __name__ == "__main__":
    draw(PICTURE)
    print(f"wrote {PICTURE.relative_to(REPOSITORY)}")
