"""The report is one page that asks nobody, shows what it should, and does so without an error."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.simulator.validation.synthetic_run import Tables, make_tables, synthetic_run

from station_sim.errors import LabError
from station_sim.pictures.fault_timeline import fault_timeline
from station_sim.pictures.report import Chart, render, write_report
from station_sim.pictures.station_day import shown_day, shown_station, station_day
from station_sim.validation.judgement import judge_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHARTS = ("station-day", "sessions", "arrivals-urban", "arrivals-corridor", "prices", "faults")
DRAWN = "document.querySelectorAll('.js-plotly-plot .main-svg').length >= 6"


@pytest.fixture(scope="module")
def tables() -> Tables:
    """A synthetic run with one missed target and one violation."""
    made = make_tables()
    power = made["power"].copy()
    power.loc[power.index[7], "meter_max_kw"] = 1e6
    return made | {"power": power}


@pytest.fixture(scope="module")
def page(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    run = synthetic_run(tables)
    path.write_text(render(run, judge_run(run)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser; one must be there where STATION_LAB_REQUIRE_CHROMIUM is set."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        missing = "no chromium: apt-get install chromium"
        if os.environ.get("STATION_LAB_REQUIRE_CHROMIUM"):
            pytest.fail(missing)
        pytest.skip(missing)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("width_px", [1280, 390], ids=["wide", "narrow"])
def test_a_browser_draws_it_without_errors_or_requests(
    chromium: Any, page: Path, width_px: int
) -> None:
    said: list[str] = []
    tab = chromium.new_page(viewport={"width": width_px, "height": 900})
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url))

    tab.goto(page.as_uri())
    tab.wait_for_function(DRAWN)

    assert [page.as_uri()] == said
    assert width_px == tab.evaluate("document.documentElement.scrollWidth")
    for chart in CHARTS:
        box = tab.locator(f"#{chart} .main-svg").first.bounding_box()
        assert box["width"] > 0.8 * min(width_px, 1000) / (2 if width_px > 800 else 1)
    tab.close()


def test_every_axis_has_a_title_with_its_unit(chromium: Any, page: Path) -> None:
    tab = chromium.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(page.as_uri())
    tab.wait_for_function(DRAWN)

    titles = tab.evaluate(
        "[...document.querySelectorAll('.xtitle, .ytitle')].map(each => each.textContent)"
    )

    wanted = ("power, kW", "energy, kWh", "price, CNY/kWh", "time with power, minutes")
    assert set(wanted) <= set(titles)
    tab.close()


def test_the_table_tells_verdicts_in_words(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert '<tr class="missed">' in text
    assert "✗ missed" in text
    assert "✓ met" in text
    assert "needs the run holiday" in text
    assert "✗ 1 violations" in text
    assert "EVCIPA and NaaS, white paper" in text


def test_nothing_in_it_is_loaded_from_elsewhere(page: Path) -> None:
    head = page.read_text(encoding="utf-8").partition("<body>")[0]

    assert "src=" not in head
    assert "http" not in head
    assert "@import" not in head


def test_a_station_with_pv_and_storage_is_shown(tables: Tables) -> None:
    run = synthetic_run(tables)
    station_id = shown_station(run)
    stations = tables["stations"].set_index("station_id")

    figure = station_day(run, station_id, shown_day(run))
    names = [each["name"] for each in figure["data"]]

    assert stations.loc[station_id, "pv_kwp"] > 0
    assert station_id in set(tables["storage"]["station_id"])
    assert ["grid meter", "PV", "storage (+ discharges)", "grid limit"] == names[-4:]
    assert stations.loc[station_id, "guns"] == names.count("guns, stacked")


def test_a_run_without_faults_has_no_timeline(tables: Tables) -> None:
    assert fault_timeline(synthetic_run(tables | {"faults": tables["faults"].iloc[:0]})) is None


def test_names_are_text_and_not_markup(tables: Tables) -> None:
    run = synthetic_run(tables, profile="<b>mine</b>")

    assert "&lt;b&gt;mine&lt;/b&gt;" in render(run, judge_run(run))


def test_a_figure_cannot_end_its_script() -> None:
    chart = Chart("id", "title", "text", {"data": ["</script>"]})

    assert '{"data":["<\\/script>"]}' == chart.json


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is not a saved run"):
        write_report(tmp_path, tmp_path / "out.html")
