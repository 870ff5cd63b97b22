"""Drives the page in a real Chromium over three products, and photographs each: what is offered comes from the source, what is
shown is what the API answers, and texts of anybody stay texts.

Needs a running pipeline with the pings of tests/street/three_products.rs. Exits 0 when everything held, else 1 with one
sentence for each thing that did not.
"""

import argparse
import json
import math
import pathlib
import sys
import time
import urllib.parse
import urllib.request

from browser_test import Browser, Failure, photograph
from odd_data_test import DRAWN, expect

GLEAN = "acme-notes/usage"
DECLARED = "inkpress/printer"
FIREFOX = "telemetry/main"
ODD = "<img src=x onerror=alert(1)>"

# What a reader sees of a section's facts, by name.
FACTS = "return [...document.querySelectorAll('#distribution .summary dl > div')].map((fact) => [fact.querySelector('dt').textContent, fact.querySelector('dd').textContent])"
# The first two cells of each row of a table.
ROWS = "return [...document.querySelectorAll(arguments[0] + ' .table tbody tr')].map((row) => [...row.children].slice(0, 2).map((cell) => cell.textContent))"
# Fields that can be used and have no name for who does not see them.
NAMELESS = "return [...document.querySelectorAll('select, input, button, svg[tabindex], [role=listbox]')].filter((one) => one.getClientRects().length > 0 && !one.labels?.length && !one.getAttribute('aria-label') && !one.textContent.trim()).map((one) => one.outerHTML)"


def ask(url, path, **parameters):
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
        return json.load(answer)


def settled(browser, what):
    browser.wait_until(lambda: browser.run("return document.readyState === 'complete' && !document.body.hasAttribute('aria-busy') && document.querySelector('#source').options.length > 0"), f"{what}: the page stays busy")


def show(browser, url, **state):
    browser.open("about:blank")
    browser.open(f"{url}/#{urllib.parse.urlencode(state)}")
    settled(browser, str(state))


def metric_is(browser, metric):
    browser.wait_until(lambda: browser.text("#metric-name") == metric, f"the heading is not {metric} but {browser.text('#metric-name')}")
    settled(browser, metric)


def facts(browser):
    return dict(browser.run(FACTS))


def options(browser, selector):
    return browser.run("return [...document.querySelectorAll(arguments[0] + ' option')].map((option) => option.value)", selector)


def table(browser, section):
    return dict(browser.run(ROWS, section))


def reason(browser):
    return browser.run("return document.querySelector('#absence').hidden ? '' : document.querySelector('#absence').dataset.reason")


def the_choosers_come_from_the_source(browser, url):
    show(browser, url)
    sources = ask(url, "sources")["sources"]
    expect(sorted(options(browser, "#source")) == sorted(one["source"] for one in sources), f"sources are offered as {options(browser, '#source')}")
    expect(browser.value("#source") == FIREFOX, f"the page began with {browser.value('#source')}")
    for source in (GLEAN, DECLARED):
        browser.select("#source", source)
        browser.wait_until(lambda: f"source={urllib.parse.quote(source, safe='')}" in browser.address(), "the address does not name the source")
        settled(browser, source)
        metrics = [metric["metric"] for metric in ask(url, "metrics", source=source)["metrics"]]
        browser.click("#metric")
        offered = browser.run("return [...document.querySelectorAll('#metric-list [data-name]')].map((item) => item.dataset.name)")
        expect(offered == metrics, f"of {source} these metrics are offered: {offered}")
        browser.type("#metric", "\ue00c")  # Escape
        [dimensions] = [one["dimensions"] for one in sources if one["source"] == source]
        for dimension in dimensions:
            if dimension != "submission_date":
                values = [entry["value"] for entry in ask(url, "values", source=source, dimension=dimension)["values"]]
                found = options(browser, f'[data-dimension="{dimension}"]')
                expect(found == ["", *values], f"of {dimension} these values are offered: {found}")
        expect(options(browser, "#by") == ["", *(name for name in dimensions if name != "submission_date")], f"can be grouped by {options(browser, '#by')}")
    expect(not browser.run(NAMELESS), f"fields have no name: {browser.run(NAMELESS)}")


def every_metric_shows_what_the_api_answers(browser, url):
    for source in (GLEAN, DECLARED):
        for metric in ask(url, "metrics", source=source)["metrics"]:
            name = metric["metric"]
            show(browser, url, source=source, metric=name)
            metric_is(browser, name)
            [row] = ask(url, "aggregates", source=source, metric=name)["data"]
            found = facts(browser)
            expect(found.get("Pings") == f"{row['pings']:,}", f"{name} has {row['pings']} pings, and shows {found}")
            expect(found.get("Samples") == f"{row['samples']:,}", f"{name} has {row['samples']} samples, and shows {found}")
            bars = len(browser.find("#distribution .bar"))
            expect(bars >= len(row["bins"]) if metric["kind"] != "category" else bars == len(row["bins"]), f"{name} has {len(row['bins'])} bins, and {bars} bars")
            expect(bool(browser.find("#labels:not([hidden])")) == metric["labelled"], f"{name}: labels are shown where there are none, or not where there are")
            if metric["labelled"]:
                labels = ask(url, "aggregates", source=source, metric=name, group_by="label")["data"]
                shown = table(browser, "#labels")
                expect(shown == {row["label"]: f"{row['pings']:,}" for row in labels}, f"the labels of {name} are shown as {shown}")
            expect(browser.find("#evolution:not([hidden]) .plot svg .line"), f"{name} has no evolution")


def typing_finds_a_metric_and_a_link_shows_the_same(browser, url):
    show(browser, url, source=GLEAN)
    browser.click("#metric")
    browser.type("#metric", "theme")
    browser.wait_for('#metric-list [data-name="docs.theme"]', "docs.theme in the list")
    browser.type("#metric", "\ue007")  # Enter
    metric_is(browser, "docs.theme")
    browser.select("#by", "channel")
    browser.wait_for("#groups:not([hidden]) figure", "charts by channel")
    browser.select('[data-dimension="os"]', "Linux")
    browser.wait_until(lambda: "is.os=Linux" in browser.address() and "by=channel" in browser.address(), f"the address does not say it: {browser.address()}")
    settled(browser, "by channel")
    browser.wait_until(lambda: facts(browser).get("Pings") == "20", f"a third of 60 pings is of Linux: {facts(browser)}")
    before = facts(browser), table(browser, "#groups"), browser.address()
    show(browser, url, source=DECLARED)
    browser.open("about:blank")
    browser.open(before[2])
    metric_is(browser, "docs.theme")
    browser.wait_for("#groups:not([hidden]) figure", "charts by channel")
    expect((facts(browser), table(browser, "#groups"), browser.address()) == before, f"the link shows {facts(browser)} and {table(browser, '#groups')} instead of {before}")
    expect(browser.value("#by") == "channel" and browser.value('[data-dimension="os"]') == "Linux", "the choosers do not say what the link says")


def texts_of_anybody_stay_texts(browser, url):
    show(browser, url, source=DECLARED, metric="printer.model", by="site")
    metric_is(browser, "printer.model")
    browser.wait_for("#groups:not([hidden]) figure", "charts by site")
    shown = table(browser, "#groups")
    sites = ask(url, "aggregates", source=DECLARED, metric="printer.model", group_by="site")["data"]
    expect(len(sites) == 7 and shown == {row["site"]: f"{row['pings']:,}" for row in sites}, f"by site: {shown}")
    for site, pings in shown.items():
        browser.run("const one = document.querySelector('[data-dimension=site]'); one.value = arguments[0]; one.dispatchEvent(new Event('change', { bubbles: true }))", site)
        browser.wait_until(lambda: facts(browser).get("Pings") == pings, f"{pings} pings have the site {site}; as a filter it shows {facts(browser)}")
    show(browser, url, source=GLEAN, metric="docs.kinds", key=ODD)
    metric_is(browser, "docs.kinds")
    browser.wait_until(lambda: facts(browser).get("Pings") == "1", f"one ping has the label {ODD}: {facts(browser)}")
    made = browser.run("return document.querySelectorAll('img, b, main script').length")
    expect(made == 0, f"{made} elements were made of what pings say")


def what_is_not_stated_is_said_in_words(browser, url):
    show(browser, url, source=DECLARED, metric="printer.drawers", by="country")
    metric_is(browser, "printer.drawers")
    browser.wait_for("#groups:not([hidden]) .bar", "bars by country")
    shown = table(browser, "#groups")
    expect(shown.get("not stated") == "12", f"a fifth of 60 pings states no country: {shown}")


def an_empty_answer_says_why(browser, url):
    for state, expected, words in [
        ({"source": "acme-notes/other"}, "stored_not_counted", "1 ping of acme-notes/other"),
        ({"source": "no/such"}, "no_such_source", "no/such"),
        ({"source": DECLARED, "metric": "printer.drawers", "is.site": "nowhere"}, "not_under_these_filters", "site=nowhere"),
        ({"source": DECLARED, "metric": "printer.drawers", "from": "19990101", "to": "19990102"}, "not_under_these_filters", "first day"),
        ({"source": DECLARED, "metric": "printer.papers", "key": "A3"}, "not_under_these_filters", "label=A3"),
    ]:
        show(browser, url, **state)
        browser.wait_until(lambda: reason(browser) == expected, f"{state} is said to be {reason(browser)!r}")
        expect(words in browser.text("#absence"), f"{state} is explained so: {browser.text('#absence')}")
        expect(not browser.find("#distribution:not([hidden])"), f"{state} shows a chart")
    browser.click("#absence button")
    browser.wait_until(lambda: facts(browser).get("Pings") == "60" and reason(browser) == "", "without filters there are 60 pings")


def keys_read_the_charts(browser, url):
    show(browser, url, source=GLEAN, metric="docs.kinds", by="os")
    metric_is(browser, "docs.kinds")
    browser.wait_for("#groups:not([hidden]) .bar", "bars by system")
    for section in ("distribution", "evolution", "labels", "groups"):
        browser.run("document.querySelector(arguments[0]).focus()", f"#{section} .plot svg")
        browser.type(f"#{section} .plot svg", "\ue014\ue014")  # ArrowRight, twice
        told = browser.run("const tip = document.querySelector(arguments[0]); return tip.hidden ? '' : tip.textContent", f"#{section} .tip")
        expect(any(letter.isdigit() for letter in told), f"by arrow keys the chart {section} says {told!r}")
    browser.run("document.querySelector('#by').focus()")
    browser.type("#by", "\ue015")  # ArrowDown: the next dimension
    browser.wait_until(lambda: "by=os_version" in browser.address(), f"a key does not change what is grouped by: {browser.address()}")


PHOTOGRAPHED = {
    "firefox": {"source": FIREFOX},
    "glean": {"source": GLEAN, "metric": "docs.kinds", "by": "os"},
    "glean-load": {"source": GLEAN, "metric": "docs.load", "by": "version"},
    "glean-theme": {"source": GLEAN, "metric": "docs.theme", "by": "channel"},
    "declared": {"source": DECLARED, "metric": "printer.jobs", "by": "site"},
    "stored": {"source": "acme-notes/other"},
}


def everything_is_drawn_inside_its_frame(browser, url):
    wrong = set()
    drawn = DRAWN.replace("#distribution .plot svg", "#distribution .plot svg, .groups svg")
    for width in (1280, 390):
        for name, state in PHOTOGRAPHED.items():
            browser.set_window(width, 1000 if width > 390 else 844)
            show(browser, url, **state)
            photograph(browser, OUT, f"{name}-{width}", width, 1000 if width > 390 else 844)
            worst = max(browser.run(drawn), key=lambda one: one["over"] or -math.inf, default={"over": 0})
            if (worst["over"] or 0) > 2:
                wrong.add(f"at {width} pixels {name} draws {worst['what']} {worst['over']:.0f} pixels outside of its frame")
            wide = browser.run("return document.documentElement.scrollWidth")
            if wide > width:
                wrong.add(f"at {width} pixels {name} is {wide} wide and scrolls sideways")
    browser.set_window(1280, 1000)
    expect(not wrong, "; ".join(sorted(wrong)))


CHECKS = [
    the_choosers_come_from_the_source,
    every_metric_shows_what_the_api_answers,
    typing_finds_a_metric_and_a_link_shows_the_same,
    texts_of_anybody_stay_texts,
    what_is_not_stated_is_said_in_words,
    an_empty_answer_says_why,
    keys_read_the_charts,
    everything_is_drawn_inside_its_frame,
]


def main():
    global OUT
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="address of the page")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the photographs")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    parser.add_argument("--only", default="", help="part of a check's name")
    arguments = parser.parse_args()
    OUT = arguments.out
    OUT.mkdir(parents=True, exist_ok=True)
    failures = []
    try:
        with Browser(arguments.chromedriver) as browser:
            browser.set_window(1280, 1000)
            for check in CHECKS:
                if arguments.only not in check.__name__:
                    continue
                begun = time.monotonic()
                try:
                    check(browser, arguments.url)
                    if browser.severe():
                        raise Failure("the console has severe entries")
                except Failure as failure:
                    failures.append(f"{check.__name__}: {failure}")
                    browser.screenshot(OUT / f"failure-{check.__name__}.png")
                print(f"{check.__name__}: {time.monotonic() - begun:.0f} s")
    except FileNotFoundError as missing:
        sys.exit(f"page: {missing}; Debian's packages are chromium and chromium-driver")
    if failures:
        sys.exit("page: " + "\n".join(failures))
    print(f"page: {len(CHECKS)} things hold of three products; photographs in {OUT}")


if __name__ == "__main__":
    main()
