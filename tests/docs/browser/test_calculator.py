"""The calculator of `explanation/costs.md`, in interactive use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.browser.conftest import SITE
from tests.docs.thread_costs import Row, cells_below, counted_rows, prices

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHOICES = ("compression", "large", "seen", "history", "end")


def answer(page: Page, name: str, value: str) -> None:
    field = page.locator(f"#thread-{name}")
    if name in CHOICES:
        field.select_option(value)
    else:
        field.fill(value)


def shown(page: Page, name: str) -> float:
    return float(page.locator(f"output#thread-{name}").inner_text().replace(",", ""))


@pytest.mark.parametrize("row", counted_rows(), ids=str)
def test_it_shows_what_the_page_says_it_shows(costs: Page, row: Row) -> None:
    for name, value in row.asked.items():
        answer(costs, name, value)

    assert (shown(costs, "writes"), shown(costs, "reads")) == row.calculated


@pytest.mark.parametrize("row", cells_below("### Worked example")[1:], ids=lambda row: row[0])
def test_it_begins_with_the_worked_example(costs: Page, row: list[str]) -> None:
    compression, *figures = row

    answer(costs, "compression", compression)

    found = [shown(costs, name) for name in ("writes", "reads", "dollars-total")]
    assert found == [float(figure.replace(",", "")) for figure in figures]


def test_dollars_are_units_and_gigabytes_at_the_prices_of_the_page(costs: Page) -> None:
    for name, value in {"large": "s3", "start": "1000", "threads": "1000", "days": "60"}.items():
        answer(costs, name, value)
    answer(costs, "region", "1.2")
    price = {name: 1.2 * dollars * 1000 for name, dollars in prices().items()}
    gigabytes = shown(costs, "kept") / 2**20

    assert shown(costs, "dollars-writes") == pytest.approx(
        shown(costs, "writes") / 1e6 * price["write"], abs=0.01
    )
    assert shown(costs, "dollars-reads") == pytest.approx(
        shown(costs, "reads") / 1e6 * price["read"], abs=0.01
    )
    # 150 items besides the 90 objects: checkpoints and writes.
    rows = 2 * 90 + 60
    assert shown(costs, "dollars-storage") == pytest.approx(
        2 * (gigabytes + 100 * rows / 2**30) * price["storage"], abs=0.01
    )
    # 90 states of 1,001 to 1,061 KB; each turn but the first reads one.
    assert shown(costs, "dollars-objects") == pytest.approx(
        2 * 90 * 1031.3 / 2**20 * price["objects"], rel=0.01
    )
    assert shown(costs, "dollars-requests") == pytest.approx(
        91 / 1e6 * price["puts"] + 29 / 1e6 * price["gets"], abs=0.01
    )
    parts = ("writes", "reads", "storage", "objects", "requests")
    assert shown(costs, "dollars-total") == pytest.approx(
        sum(shown(costs, f"dollars-{part}") for part in parts), abs=0.03
    )


def test_every_field_has_a_label_and_is_reached_by_the_keyboard(costs: Page) -> None:
    names = costs.locator("#thread-calculator :is(input, select)").evaluate_all(
        "fields => fields.map(field => field.name)"
    )
    assert len(names) == 14
    costs.locator("#thread-turns").focus()
    for name in names:
        focused = costs.evaluate("document.activeElement.name")
        labels = costs.evaluate("document.activeElement.labels[0].textContent")
        assert focused == name
        assert labels
        costs.keyboard.press("Tab")
    costs.get_by_label("Turns of a thread").press("ArrowUp")
    assert shown(costs, "writes") > 3031


@pytest.mark.parametrize(
    ("name", "value"), [("turns", "0"), ("turns", "1.5"), ("growth", ""), ("region", "-1")]
)
def test_what_cannot_be_is_said_and_nothing_is_calculated(
    costs: Page, name: str, value: str
) -> None:
    costs.locator(f"#thread-{name}").fill(value)

    assert "between" in costs.get_by_role("alert").inner_text()
    assert costs.locator(f"#thread-{name}").get_attribute("aria-invalid") == "true"
    assert costs.locator("output#thread-dollars-total").inner_text() == "-"

    costs.locator(f"#thread-{name}").fill("1")

    assert costs.get_by_role("alert").inner_text() == ""
    assert shown(costs, "dollars-total") > 0


def test_without_scripts_the_page_leads_to_the_worked_example(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((SITE / "explanation" / "costs.html").as_uri())

    page.get_by_role("link", name="The worked example").click()

    assert page.url.endswith("#worked-example")
    assert page.get_by_text("By hand, without compression").is_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_and_can_be_read(browser: Browser, scheme: str, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto((SITE / "explanation" / "costs.html").as_uri())
    box = page.locator("#thread-calculator").bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    text, behind = page.locator("#thread-turns").evaluate(
        "field => [getComputedStyle(field).color, getComputedStyle(field).backgroundColor]"
    )
    assert contrast(text, behind) >= 4.5
    context.close()


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two opaque colours by WCAG 2: https://www.w3.org/TR/WCAG22/."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    numbers = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (number / 255 for number in numbers[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
