"""Drives the page of health in a real Chromium, in one state of the pipeline, and photographs it.

Exits 0 when everything held, else 1 with one sentence that says what did not.
"""

import argparse
import pathlib
import sys
import time

from browser_test import Browser, Failure, expect_no_sideways_scroll, photograph

VERDICTS = "return document.querySelector('#verdicts').innerText"


def expect_words(browser, words):
    for word in words:
        browser.wait_until(
            lambda: word in browser.run(VERDICTS), f"the verdicts do not say {word!r} but {browser.run(VERDICTS)!r}", 60
        )


def expect_calm(browser):
    """The page is refreshed in place: what does not change stays the same node, and keeps the focus."""
    browser.run("window.kept = document.querySelector('.verdict h2'); document.querySelector('#by').focus()")
    before = browser.text("#seen")
    browser.wait_until(lambda: browser.text("#seen") != before, "the page does not refresh itself")
    if not browser.run("return window.kept.isConnected && document.activeElement.id === 'by'"):
        raise Failure("a refresh replaced what had not changed, or took the focus away")


def expect_readable(browser):
    """What a screen reader relies on: a live region, names of tables and meters, one heading of the first level."""
    for selector in ["#verdicts[aria-live]", "[role=meter][aria-label][aria-valuetext]", "table caption", "th[scope]"]:
        if not browser.find(selector):
            raise Failure(f"the page has no {selector}")
    if len(browser.find("h1")) != 1:
        raise Failure("the page needs one heading of the first level")
    unnamed = browser.run(
        "return [...document.querySelectorAll('select, button, a')].filter((e) => !(e.innerText || e.labels?.length)).length"
    )
    if unnamed:
        raise Failure(f"{unnamed} controls have no name")


def expect_manual(browser, url, section):
    browser.open(f"{url}/manual#{section}")
    browser.wait_for(f"#{section}", f"section {section} of the manual")


def drive(browser, url, folder, state, words, section):
    browser.set_window(1280, 1000)
    browser.open(f"{url}/")
    browser.wait_for("#health-link", "the link from the charts to the page of health")
    browser.click("#health-link")
    expect_words(browser, words)
    browser.wait_for("#partitions tbody tr", "a partition")
    expect_calm(browser)
    expect_readable(browser)
    browser.run("document.activeElement.blur()")
    for width, height in [(1280, 1000), (390, 844)]:
        for scheme in ["light", "dark"]:
            dark = "-dark" if scheme == "dark" else ""
            photograph(browser, folder, f"health-{state}-{width}{dark}", width, height, scheme)
            expect_words(browser, words)
    expect_no_sideways_scroll(browser)
    if section:
        expect_manual(browser, url, section)
        browser.set_scheme("light")
        time.sleep(0.5)
        expect_no_sideways_scroll(browser)
        browser.set_window(1280, 1000)
        browser.screenshot(folder / "manual-1280.png")
    severe = browser.severe()
    if severe:
        raise Failure(f"the console has severe entries: {severe}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="address of the API listener")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the photographs")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    parser.add_argument("--state", required=True, help="what the photographs are called")
    parser.add_argument("--section", default="", help="section of the manual that the verdict links to")
    parser.add_argument("words", nargs="+", help="what the verdicts must say")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        with Browser(options.chromedriver) as browser:
            try:
                drive(browser, options.url, options.out, options.state, options.words, options.section)
            except Failure:
                browser.screenshot(options.out / "failure.png")
                raise
    except Failure as failure:
        sys.exit(f"page of health: {failure}")
    except FileNotFoundError as missing:
        sys.exit(f"page of health: {missing}; Debian's packages are chromium and chromium-driver")
    print(f"page of health: {options.state} is in order; photographs in {options.out}")


if __name__ == "__main__":
    main()
