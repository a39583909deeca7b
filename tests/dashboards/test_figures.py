"""Figures as data: what is drawn is what was answered, and nothing else."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from dashboards import figures
from dashboards.rows import Gap, Series, Timeline, Trend
from tests.dashboards.samples import BANDS, on_day, phq9, point, timeline

STATIC = Path(figures.__file__).parent.parent / "static"


def drawn(trend: Trend, shared: Timeline | None = None) -> dict:
    return json.loads(figures.trend(trend, shared or timeline(2, 5, 9)).to_json())


def texts(figure: dict) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def lines(figure: dict, *, vertical: bool) -> list[dict]:
    shapes = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    return [shape for shape in shapes if (shape["x0"] == shape["x1"]) is vertical]


def test_every_score_is_a_point_on_the_clinics_clock():
    figure = drawn(phq9(point(0, "22", "severe"), point(11, "15", "moderately severe")))
    scores = figure["data"][0]
    assert scores["y"] == [22, 15]
    assert scores["x"] == ["2026-01-05T09:00:00", "2026-01-16T09:00:00"]
    assert scores["customdata"][0] == "5 Jan 2026: 22 (severe)"


def test_no_line_is_drawn_over_a_missed_follow_up():
    silent = phq9(point(0, "22"), point(40, "9"), gaps=(Gap(on_day(20), "missed"),))
    scores, missed = drawn(silent)["data"]
    assert scores["y"] == [22, None, 9]
    assert scores["connectgaps"] is False
    assert missed["y"] == [0]
    assert missed["marker"]["symbol"].endswith("-open")


def test_without_a_gap_the_line_goes_on():
    assert drawn(phq9(point(0, "22"), point(40, "9")))["data"][0]["y"] == [22, 9]


@pytest.mark.parametrize(
    ("more", "symbol"),
    [
        pytest.param({}, "circle", id="answered by the patient"),
        pytest.param({"missing": 1}, "circle-open", id="estimated"),
        pytest.param({"mode": "phone"}, "square", id="entered by staff"),
        pytest.param({"mode": "phone", "missing": 2}, "square-open", id="both"),
    ],
)
def test_the_symbol_says_how_a_score_came_about(more, symbol):
    assert drawn(phq9(point(0, "9", **more)))["data"][0]["marker"]["symbol"] == [symbol]


def test_a_late_answer_stands_alone():
    scores, late = drawn(phq9(point(0, "9"), point(20, "4", late=True)))["data"]
    assert scores["y"] == [9]
    assert (late["y"], late["mode"]) == ([4], "markers")


def test_bands_cover_the_scale_and_carry_their_words_at_the_right_edge():
    figure = drawn(phq9(point(0, "9")))
    bands = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert [band["y0"] for band in bands] == [start for start, _ in BANDS]
    assert [band["y1"] for band in bands] == [5, 10, 15, 20, 27]
    for _, word in BANDS:
        assert word.replace(" ", "<br>") in texts(figure)


def test_the_whole_scale_shows_even_when_all_scores_are_low():
    low, high = drawn(phq9(point(0, "1")))["layout"]["yaxis"]["range"]
    assert low < 0
    assert high > 27


def test_baseline_response_and_remission_are_drawn_and_named():
    start = point(0, "22")
    figure = drawn(phq9(start, point(30, "9"), baseline=start))
    levels = {line["y0"]: line["line"]["dash"] for line in lines(figure, vertical=False)}
    assert levels == {22: "dash", 11: "dot", 5: "dashdot"}
    assert {"baseline 22", "response ≤ 11", "remission < 5"} <= set(texts(figure))


def test_lines_that_almost_touch_share_one_name():
    start = point(0, "10")
    assert "response ≤ 5 · remission < 5" in texts(drawn(phq9(start, baseline=start)))


def test_without_a_baseline_only_remission_is_drawn():
    figure = drawn(phq9(point(30, "9")))
    assert [line["y0"] for line in lines(figure, vertical=False)] == [5]


def test_each_infusion_is_a_numbered_line():
    figure = drawn(phq9(point(0, "9")), timeline(2, 20, 40))
    assert len(lines(figure, vertical=True)) == 3
    assert {"1", "2", "3"} <= set(texts(figure))


def test_infusions_too_close_for_their_numbers_share_one():
    figure = drawn(phq9(point(0, "9")), timeline(2, 4, 6, 60))
    assert len(lines(figure, vertical=True)) == 4
    assert {"1–3", "4"} <= set(texts(figure))


def test_charts_of_one_patient_share_the_time_axis():
    shared = timeline(2)
    one, two = drawn(phq9(point(0, "9")), shared), drawn(phq9(point(50, "3")), shared)
    assert one["layout"]["xaxis"]["range"] == two["layout"]["xaxis"]["range"]
    assert one["layout"]["margin"] == two["layout"]["margin"]


def test_two_ratings_differ_by_colour_symbol_and_dash():
    pain = phq9()
    both = Trend(
        **{
            **{name: getattr(pain, name) for name in Trend.__slots__},
            "series": tuple(Series(name, name, (point(0, "7"),)) for name in ("average", "worst")),
        }
    )
    average, worst = drawn(both)["data"]
    assert average["line"]["color"] != worst["line"]["color"]
    assert average["line"]["dash"] != worst["line"]["dash"]
    assert average["marker"]["symbol"] != worst["marker"]["symbol"]


def test_colours_are_the_pages_own_names():
    figure = json.dumps(drawn(phq9(point(0, "9"), gaps=(Gap(on_day(3), "missed"),))))
    assert not re.search(r'"#[0-9a-f]{3,8}"|"rgb\(', figure)
    known = set(re.findall(r"--[\w-]+", (Path("clinic/static/clinic/tokens.css")).read_text()))
    assert set(re.findall(r"var\((--[\w-]+)\)", figure)) <= known


def test_no_text_of_a_figure_holds_a_tag_with_a_style():
    start = point(0, "22", "moderately severe")
    figure = drawn(phq9(start, baseline=start))
    tags = {tag for text in texts(figure) for tag in re.findall(r"<[^>]*>", text)}
    assert tags <= {"<br>"}


def test_the_axis_begins_with_the_first_event_and_leaves_room_after_the_last():
    start, end = figures.span([on_day(0), on_day(100)], now=on_day(90))
    assert start < on_day(0)
    assert end > on_day(110)


def test_plotly_is_called_in_one_place_with_the_cloud_off():
    scripts = {path: path.read_text() for path in STATIC.rglob("*.js")}
    calling = [path.name for path, text in scripts.items() if "newPlot" in text]
    assert calling == ["charts.js"]
    text = "".join(scripts.values())
    assert text.count("Plotly.") == 1
    for switch in ("showSendToCloud: false", 'plotlyServerURL: ""', "displaylogo: false"):
        assert switch in text


def test_ticks_do_not_stand_on_each_other():
    ticks = drawn(phq9(point(0, "9")))["layout"]["yaxis"]["tickvals"]
    assert ticks == [0, 5, 10, 15, 20, 27]
    assert Decimal(str(ticks[0])) == 0
