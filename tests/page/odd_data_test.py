"""Drives the page in a real Chromium over data that nobody wished for, and looks at what it shows and where it draws.

The page's own files are served, and answers of the API made up here, in the form that it gives. Exits 0 when everything
held, else 1 with one sentence that says what did not.
"""

import argparse
import datetime
import http.server
import json
import math
import pathlib
import re
import sys
import threading
import urllib.parse

from browser_test import Browser, Failure

PAGE = pathlib.Path(__file__).resolve().parents[2] / "query" / "page"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
FINE = [0, 1, 2, 4, 8, 16, 32, 64]
COARSE = [0, 1000, 2000, 3000, 4000]
LARGE = 2**53 + 1
CHANNEL = "nightly"


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def days(number):
    """So many days up to today, oldest first, as the API writes them."""
    return [(today() - datetime.timedelta(days=back)).strftime("%Y%m%d") for back in range(number)][::-1]


# Metrics: {name: function from a date to (kind, buckets, histogram, sum, count) or None}. Of the 250 dates of version 50
# the first 240 state one layout, the last ten another, as after a change of the metric.
DATES = days(250)
OLD = set(DATES[:240])


def two_layouts(date):
    if date in OLD:
        return ("linear", COARSE, [0, 0, 10, 0, 0], 25_000, 10)
    return ("linear", FINE[:5], [0, 0, 0, 0, 4], 64, 4)


METRICS = {
    "TWO_LAYOUTS": two_layouts,
    "ALL_ONES": lambda date: ("exponential", FINE, [0, 7, 0, 0, 0, 0, 0, 0], 7, 7),
    "HUGE_SUM": lambda date: ("linear", COARSE, [0, 0, LARGE, 0, 0], LARGE, LARGE) if date == DATES[-1] else None,
    "NEGATIVE_SHARE": lambda date: ("boolean", [0, 1], [-3, 13], 13, 10),
    "LONG_NAMES": lambda date: ("categorical", [f"a_category_with_a_long_name_{n}" for n in range(6)], [9, 8, 7, 6, 5, 4], 0, 39),
    "STEEP": lambda date: ("exponential", FINE, [1, 0, 0, 0, 0, 0, 0, 5 + DATES.index(date) % 7] if date in DATES else [1, 0, 0, 0, 0, 0, 0, 9], 900, 9),
}
VERSIONS = {"50": DATES, "49": DATES[:30], "9999": [DATES[-1]], "UNKNOWN": [DATES[-1]], "1e9": [DATES[-1]], "zz": [DATES[-1]]}
FUTURE = "21000101"
PAST = "19700101"


def dates_of(version):
    return VERSIONS[version] + ([FUTURE, PAST] if version == "50" else [])


def answer_of(version, metric, dates):
    """One answer has one layout: that of most pings among the dates asked for, as the server chooses."""
    rows = []
    for date in dates:
        row = METRICS[metric](date) if date in dates_of(version) else None
        if row:
            rows.append((date, row))
    if not rows:
        return None, ""
    pings = {}
    for _, (kind, buckets, _, _, count) in rows:
        key = (kind, tuple(buckets))
        pings[key] = pings.get(key, 0) + count
    lead = max(pings, key=pings.get)
    data = [
        {"date": date, "label": "", "histogram": histogram, "sum": total, "count": count}
        for date, (kind, buckets, histogram, total, count) in rows
        if (kind, tuple(buckets)) == lead
    ]
    others = ";".join(f"{kind}({buckets[0]}..{buckets[-1]}/{len(buckets)})" for kind, buckets in pings if (kind, buckets) != lead)
    return {"buckets": list(lead[1]), "kind": lead[0], "description": "", "data": data}, others


class Server(http.server.BaseHTTPRequestHandler):
    """The page, and answers over the data above."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/" or url.path.startswith("/page/"):
            file = PAGE / (url.path.removeprefix("/page/") if url.path != "/" else "index.html")
            return self.send(200, file.read_bytes(), TYPES[file.suffix])
        headers = {}
        if url.path.endswith("/channels/"):
            body = [CHANNEL]
        elif url.path.endswith("/dates/"):
            body = [{"version": version, "date": date} for version in VERSIONS for date in dates_of(version)]
        elif url.path == "/filters/":
            body = {"metric": sorted(METRICS), "child": ["parent"], "application": ["Firefox"], "architecture": [], "os": [], "e10sEnabled": []}
        elif url.path.startswith("/aggregates_by/"):
            body, others = answer_of(query["version"], query["metric"], query["dates"].split(","))
            headers = {"X-Highwater-Other-Layouts": others} if others else {}
        elif url.path == "/api/v1/sources":
            body = {"sources": [{"source": "telemetry/main", "reader": "telemetry", "dimensions": ["submission_date"], "first_day": DATES[0], "last_day": DATES[-1]}], "left_out": 0}
        elif url.path == "/api/v1/products":
            body = {"products": []}
        elif url.path == "/api/v1/engagement":
            body = {"standard_error": 0.01, "data": []}
        else:
            body = None
        if body is None:
            refusal = {"code": 404, "reason": "not_found", "description": "There is no such thing here."}
            return self.send(404, json.dumps(refusal).encode(), "application/json")
        return self.send(200, json.dumps(body).encode(), "application/json", headers)

    def send(self, status, body, content_type, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def expect(holds, sentence):
    if not holds:
        raise Failure(sentence)


def show(browser, base, metric, extra="", version="50"):
    browser.open("about:blank")
    browser.open(f"{base}/#channel={CHANNEL}&version={version}&metric={metric}{extra}")
    browser.wait_until(lambda: browser.run("return document.querySelector('#metric-name')?.textContent") == metric, f"{metric} is not shown")
    browser.wait_for("#evolution svg text", f"the evolution of {metric}")
    browser.wait_until(lambda: browser.run("return !document.body.hasAttribute('aria-busy')"), "the page stays busy")


def facts(browser):
    """The summary of the distribution by name."""
    script = "return [...document.querySelectorAll('#distribution .summary dl > div')].map((fact) => [fact.querySelector('dt').textContent, fact.querySelector('dd').textContent])"
    return dict(browser.run(script))


def note(browser, section):
    return browser.run("return document.querySelector(arguments[0]).textContent", f"#{section} .note")


def first_number(text):
    return float(re.sub(r"[^0-9.]", "", text.split(" ")[0]))


def layouts_are_never_added(browser, base):
    show(browser, base, "TWO_LAYOUTS")
    found = facts(browser)
    median = first_number(found["Median"])
    expect(2000 <= median <= 3000, f"the median of 2,400 pings between 2,000 and 3,000 is shown as {found['Median']}")
    # The date of 1970 is asked for beside old ones: the server leaves its layout out there, and the page names it.
    outside = sum(row[4] for row in map(two_layouts, [*DATES, FUTURE]) if row[1] != COARSE)
    expect(outside > 0 and f"{outside} pings" in note(browser, "distribution"), f"the note does not say that {outside} pings have another layout: {note(browser, 'distribution')}")
    newest = browser.run("return document.querySelector('#evolution .table tbody tr').textContent")
    expect("≥ 8" in newest, f"the newest date, whose layout is another, is not shown in it: {newest}")


def one_integer_is_that_integer(browser, base):
    show(browser, base, "ALL_ONES")
    found = facts(browser)
    for name in ("5th", "25th", "Median", "75th", "95th", "Mean"):
        expect(found[name] == "1", f"of samples that are all 1 the {name} is shown as {found[name]}")


def every_digit_is_shown(browser, base):
    show(browser, base, "HUGE_SUM")
    found = facts(browser)
    written = f"{LARGE:,}"
    for name in ("Sum", "Pings", "Samples"):
        expect(found[name] == written, f"{name} is {written}, and shown as {found[name]}")


def a_share_below_nothing_is_shown(browser, base):
    show(browser, base, "NEGATIVE_SHARE")
    table = browser.run("return document.querySelector('#distribution .table tbody').textContent")
    expect("−30.0%" in table and "130%" in table, f"shares of -3 and 13 of 10 samples are shown as {table}")
    expect("<0.01%" not in table, "a share below nothing is shown as a small one")


def sound_versions_come_first(browser, base):
    browser.open("about:blank")
    browser.open(f"{base}/#metric=ALL_ONES")
    browser.wait_for("#evolution svg text", "the evolution")
    offered = browser.run("return [...document.querySelectorAll('#version option')].map((option) => option.value)")
    expect(offered[:2] == ["50", "49"], f"versions are offered in this order: {offered}")
    expect(set(offered) == set(VERSIONS), f"versions are missing: {offered}")
    chosen = browser.value("#version")
    expect(chosen == "50", f"of {sorted(VERSIONS)} the page chose {chosen} by itself")


def a_date_far_away_squeezes_nothing(browser, base):
    show(browser, base, "STEEP")
    table = browser.run("return document.querySelector('#evolution .table tbody').textContent")
    for year in ("2100", "1970"):
        expect(year not in table, f"a date of {year} is drawn")
    expect("2 dates that lie in the future or far from all others were left out" in note(browser, "evolution"), f"the note does not tell: {note(browser, 'evolution')}")
    span = browser.run("const x = [...document.querySelectorAll('#evolution rect.pings')].map((bar) => bar.getBoundingClientRect().x); return Math.max(...x) - Math.min(...x)")
    wide = browser.run("return document.querySelector('#evolution svg').clientWidth")
    expect(span > wide * 0.6, f"the dates take {span:.0f} of {wide} pixels")
    show(browser, base, "STEEP", "&allDates=1")
    table = browser.run("return document.querySelector('#evolution .table tbody').textContent")
    expect("2100" in table and "1970" in table, "all dates are asked for, and not all are shown")


# Of each drawn thing of a chart: its rectangle, and the chart's.
DRAWN = """
return [...document.querySelectorAll('#evolution .plot svg, #distribution .plot svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('.drawing path, .drawing circle, .drawing rect, .drawing line, .drawing text')].map((node) => {
    const box = node.getBoundingClientRect();
    return { what: `${node.tagName} ${node.getAttribute('class')} ${node.textContent}`,
      over: Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom) };
  });
});
"""


# Of each line of the evolution: how far it leaves the room between the axes.
LINES = """
const svg = document.querySelector('#evolution .plot svg');
const grid = [...svg.querySelectorAll('line.grid, line.base')].map((line) => line.getBoundingClientRect());
const left = Math.min(...grid.map((box) => box.left)), right = Math.max(...grid.map((box) => box.right));
return [...svg.querySelectorAll('path, circle')].map((node) => {
  const box = node.getBoundingClientRect();
  return { what: `${node.tagName} ${node.getAttribute('class')}`, over: Math.max(left - box.left, box.right - right) };
});
"""


def everything_is_drawn_inside_its_frame(browser, base):
    wrong = set()
    for width in (390, 320, 1280):
        browser.set_window(width, 844)
        for metric in METRICS:
            for extra in ("", "&scale=linear", "&allDates=1", "&allVersions=1", "&bins=0,1"):
                show(browser, base, metric, extra)
                for script in (DRAWN, LINES):
                    worst = max(browser.run(script), key=lambda drawn: drawn["over"] or -math.inf)
                    if (worst["over"] or 0) > 2:
                        wrong.add(f"at {width} pixels {metric}{extra} draws {worst['what']} {worst['over']:.0f} pixels outside of its frame")
        wide = browser.run("return document.documentElement.scrollWidth")
        expect(wide <= width, f"at {width} pixels the page is {wide} wide and scrolls sideways")
    browser.set_window(1280, 1000)
    expect(not wrong, "; ".join(sorted(wrong)[:9]))


CHECKS = [
    layouts_are_never_added,
    one_integer_is_that_integer,
    every_digit_is_shown,
    a_share_below_nothing_is_shown,
    sound_versions_come_first,
    a_date_far_away_squeezes_nothing,
    everything_is_drawn_inside_its_frame,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the photograph of a failure")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    failures = []
    try:
        with Browser(options.chromedriver) as browser:
            browser.set_window(1280, 1000)
            for check in CHECKS:
                try:
                    check(browser, base)
                except Failure as failure:
                    failures.append(f"{check.__name__}: {failure}")
                    browser.screenshot(options.out / f"failure-{check.__name__}.png")
    except FileNotFoundError as missing:
        sys.exit(f"page: {missing}; Debian's packages are chromium and chromium-driver")
    if failures:
        sys.exit("page: " + "\n".join(failures))
    print(f"page: {len(CHECKS)} kinds of odd data are shown as they are")


if __name__ == "__main__":
    main()
