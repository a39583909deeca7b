"""Rows to Plotly figures. Pure: a figure never knows where its rows came from.

Colours are names of the page's tokens, `var(--ink)`; charts.js puts in what the page shows, light
or dark. Text holds no tags: Plotly would style them inline, which the page forbids.
"""

from dashboards.figures.style import HEIGHT
from dashboards.figures.trend import span, symbol, trend

__all__ = ["HEIGHT", "span", "symbol", "trend"]
