"""A plot as SVG text for a self-contained page, drawn by matplotlib without a display."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1f2933"
BLUE, ORANGE, GREY = "#2f6fb5", "#d9822b", "#8a97a6"
_WIDE_IN, _HIGH_IN = 8.0, 4.2


def svg(
    draw: "Callable[[Axes], None]", *, wide_in: float = _WIDE_IN, high_in: float = _HIGH_IN
) -> str:
    """One plot as an ``<svg>`` element; the same numbers give the same bytes.

    A page scales it to its place: the smaller the figure, the larger its texts are there. Texts
    stay texts: a reader can search them, and the file stays small.
    """
    # imported here: it takes half a second
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {
            "svg.hashsalt": "prefstream",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        figure = Figure(figsize=(wide_in, high_in), layout="constrained")
        draw(figure.subplots())
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    whole = written.getvalue()
    return whole[whole.index("<svg") :]
