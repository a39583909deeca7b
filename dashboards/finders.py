"""Serve plotly.min.js out of the installed package: it always matches the library."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import plotly
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

FOLDER = Path(plotly.__file__).parent / "package_data"


class PlotlyStorage(FileSystemStorage):
    prefix = "vendor"


class PlotlyFinder(BaseFinder):
    storage = PlotlyStorage(location=FOLDER)

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != "vendor/plotly.min.js":
            return []
        match = str(FOLDER / "plotly.min.js")
        return [match] if find_all else match

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, PlotlyStorage]]:
        yield "plotly.min.js", self.storage
