"""Make the pictures of README and docs from the sample: `python docs/pictures.py` (needs Chromium and playwright).

Each notebook gets one: the chart that shows best what it answers, else the first.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from diskenc_analysis.params import NOTEBOOKS
from diskenc_analysis.report import render
from diskenc_analysis.sample_months import earlier, months
from diskenc_analysis.share import sample_path

DOCS = Path(__file__).resolve().parent
AS_OF = "2026-11-24"
#: Which chart of a page, from 0.
SHOWN = {"coverage": 4, "key_ownership": 3}


def take(page: Page, html: Path, place: int, picture: Path) -> None:
    """Take the picture of one chart of a page."""
    page.goto(html.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
    charts = page.query_selector_all("figure.chart")
    charts[min(place, len(charts) - 1)].screenshot(path=picture)


def main() -> None:
    """Render the notebooks, those on change over time with the sample of months ago, and take their pictures."""
    with TemporaryDirectory() as scratch, sync_playwright() as started:
        past = {"baseline": str(earlier(Path(scratch))), "history": str(months(Path(scratch) / "history"))}
        made = render(sample_path(), Path(scratch) / "report", [*NOTEBOOKS], past, as_of=AS_OF)
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1040, "height": 900}, color_scheme="light")
        (DOCS / "pictures").mkdir(exist_ok=True)
        for html in made.pages:
            if html.stem in NOTEBOOKS:
                take(page, html, SHOWN.get(html.stem, 0), DOCS / "pictures" / f"{html.stem}.png")
        page.set_viewport_size({"width": 1060, "height": 700})
        page.goto((made.folder / "coverage.html").as_uri())
        page.screenshot(path=DOCS / "coverage.png")
        browser.close()


if __name__ == "__main__":
    main()
