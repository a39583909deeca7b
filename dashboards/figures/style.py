"""What every figure looks like. Colours are names of the page's tokens."""

from dataclasses import dataclass

import plotly.graph_objects as go

HEIGHT = 260  # pixels; every chart of a patient has the same, so that steps compare by eye
INK, MUTED, SURFACE, RULE = "var(--ink)", "var(--muted)", "var(--surface)", "var(--line-strong)"


@dataclass(frozen=True, slots=True)
class Style:
    """Series are told apart by colour, symbol and dash, never by colour alone."""

    colour: str
    symbol: str
    dash: str


STYLES = (
    Style("var(--series-1)", "circle", "solid"),
    Style("var(--series-2)", "diamond", "dash"),
    Style("var(--series-3)", "triangle-up", "dot"),
    Style("var(--series-4)", "cross", "dashdot"),
)


def house_style(figure: go.Figure, *, legend: bool) -> go.Figure:
    figure.update_layout(
        template="none",
        height=HEIGHT + (24 if legend else 0),
        margin={"l": 32, "r": 84, "t": 24, "b": 32},
        font={"size": 12, "color": MUTED},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"bgcolor": SURFACE, "bordercolor": RULE, "font": {"color": INK, "size": 13}},
        hovermode="closest",
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top"},
    )
    axis = {"fixedrange": True, "zeroline": False, "showgrid": False, "ticks": "outside"}
    figure.update_xaxes(
        **axis, linecolor=RULE, tickcolor=RULE, showline=True, nticks=6, tickangle=0
    )
    figure.update_yaxes(**axis, tickcolor=RULE, ticklen=3)
    return figure


def text(
    text: str, *, x: object, y: float, colour: str = MUTED, **more: object
) -> dict[str, object]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "showarrow": False,
        "font": {"size": 12, "color": colour},
        **more,
    }
