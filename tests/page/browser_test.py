"""Drives the page in a real Chromium, against a running pipeline, and photographs it.

Speaks the WebDriver protocol to chromedriver itself; needs nothing beyond the standard library.
Exits 0 when everything held, else 1 with one sentence that says what did not.
"""

import argparse
import base64
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CHROMIUM_FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]
OTHER_METRICS = ["CYCLE_COLLECTOR", "GC_MAX_PAUSE_MS", "MEMORY_RESIDENT", "MEMORY_TOTAL"]


class Failure(Exception):
    """A sentence for the person who reads the test's output."""


class Browser:
    """One Chromium behind one chromedriver, both ended with the block."""

    def __init__(self, chromedriver, more_flags=()):
        self.profile = tempfile.mkdtemp(prefix="highwater-page-")
        self.driver = subprocess.Popen([chromedriver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = self._port()
        flags = CHROMIUM_FLAGS + [*more_flags, f"--user-data-dir={self.profile}"]
        capabilities = {"browserName": "chrome", "goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = ""
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{answer['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", "")
        except (Failure, OSError, http.client.HTTPException):
            pass
        self.driver.terminate()
        self.driver.wait(10)
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _port(self):
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.strip().rstrip(".").split()[-1])
        raise Failure("chromedriver ended before it listened; run it by hand to see why")

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, self.session_path(path), data, {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise Failure(f"the browser refused {path}: {value['error']}: {value['message'].splitlines()[0]}")
        return value

    def session_path(self, path):
        return path if path == "/session" else self.session + path

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def reload(self):
        self._call("POST", "/refresh", {})

    def address(self):
        return self._call("GET", "/url")

    def run(self, script, *arguments):
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        """Elements that match, possibly none."""
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def wait_for(self, selector, what, seconds=60):
        return self.wait_until(lambda: self.find(selector), f"{what} did not appear within {seconds} s", seconds)

    def wait_until(self, condition, sentence, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.2)
        raise Failure(sentence)

    def click(self, selector):
        self._call("POST", f"/element/{self.wait_for(selector, selector)[0]}/click", {})

    def type(self, selector, text):
        self._call("POST", f"/element/{self.wait_for(selector, selector)[0]}/value", {"text": text})

    def text(self, selector):
        return self._call("GET", f"/element/{self.wait_for(selector, selector)[0]}/text")

    def value(self, selector):
        return self.run("return document.querySelector(arguments[0]).value", selector)

    def select(self, selector, value):
        self.click(f'{selector} option[value="{value}"]')

    def command(self, name, parameters):
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def set_window(self, width, height):
        """The size of the page itself, phones included (a real window cannot be 390 wide)."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", size)

    def set_scheme(self, scheme):
        self.command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def screenshot(self, path):
        """The full page, as a PNG."""
        picture = self.command("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def severe(self):
        """Severe lines of the console; an answered 404 is one of the page's ordinary cases and no fault."""
        lines = self._call("POST", "/se/log", {"type": "browser"})
        answered = lambda line: "/aggregates_by/" in line and "status of 404" in line
        return [line["message"] for line in lines if line["level"] == "SEVERE" and not answered(line["message"])]


def wait_for_charts(browser):
    browser.wait_for("#distribution .bar", "a bar of the distribution")
    browser.wait_for('#evolution .line[d^="M"], #evolution circle.line', "a line of the evolution")
    browser.wait_for("#users-section circle.line", "the active users")


def change_metric(browser):
    """Another metric by typing into the search field; returns its name."""
    before = browser.value("#metric")
    browser.click("#metric")
    names = browser.run("return [...document.querySelectorAll('#metric-list [data-name]')].map((item) => item.dataset.name)")
    others = [name for name in OTHER_METRICS if name != before]
    wanted = next((name for name in others if name in names), None) or next(name for name in names if name != before)
    browser.type("#metric", wanted.replace("_", " ").lower())
    browser.wait_for(f'#metric-list [data-name="{wanted}"]', f"{wanted} in the list of metrics")
    browser.click(f'#metric-list [data-name="{wanted}"]')
    browser.wait_until(lambda: browser.text("#metric-name") == wanted, f"the heading did not become {wanted}")
    return wanted


def change_filter(browser):
    """The first operating system that is offered; returns it."""
    systems = browser.run("return [...document.querySelectorAll('#os option')].map((item) => item.value).filter(Boolean)")
    if not systems:
        raise Failure("no operating system is offered as a filter; are there pings with environment.system.os?")
    browser.select("#os", systems[0])
    return systems[0]


def expect_in_address(browser, *parts):
    for part in parts:
        browser.wait_until(lambda: part in browser.address(), f"the address does not say {part}: {browser.address()}", 10)


def number(browser, selector):
    return int(browser.text(selector).replace(",", "") or 0)


def expect_growth(browser):
    browser.wait_until(lambda: browser.text("#health-accepted") not in ("", "–"), "the header shows no count of accepted pings")
    first = number(browser, "#health-accepted")
    browser.wait_until(lambda: number(browser, "#health-accepted") > first, f"accepted stays at {first}; is anything sent?")
    table = "return document.querySelector('#distribution .summary').textContent"
    before = browser.run(table)
    browser.wait_until(lambda: browser.run(table) != before, "the distribution does not move while pings are folded")


def photograph(browser, folder, name, width, height, scheme="light"):
    browser.set_window(width, height)
    browser.set_scheme(scheme)
    browser.run("window.scrollTo(0, 0)")
    time.sleep(1.2)  # until what moves has come to rest
    browser.screenshot(folder / f"{name}.png")


def expect_no_sideways_scroll(browser):
    wide = browser.run("return document.documentElement.scrollWidth")
    if wide > 390:
        raise Failure(f"at 390 pixels the page is {wide} wide and scrolls sideways")


def drive(browser, url, folder, live):
    browser.set_window(1280, 1000)
    browser.open(url)
    wait_for_charts(browser)
    if live:
        expect_growth(browser)
    photograph(browser, folder, "page-1280", 1280, 1000)
    photograph(browser, folder, "page-1280-dark", 1280, 1000, "dark")
    photograph(browser, folder, "page-390", 390, 844)
    expect_no_sideways_scroll(browser)
    photograph(browser, folder, "page-390-dark", 390, 844, "dark")
    browser.set_window(1280, 1000)
    browser.set_scheme("light")
    metric = change_metric(browser)
    expect_in_address(browser, f"metric={metric}")
    system = change_filter(browser)
    expect_in_address(browser, f"os={system}", f"metric={metric}")
    wait_for_charts(browser)
    address = browser.address()
    browser.reload()
    wait_for_charts(browser)
    if (browser.text("#metric-name"), browser.value("#os")) != (metric, system):
        raise Failure(f"reloading {address} did not restore {metric} and {system}")
    photograph(browser, folder, "page-1280-filtered", 1280, 1000)
    severe = browser.severe()
    if severe:
        raise Failure(f"the console has severe entries: {severe}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="address of the page")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for the photographs")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    parser.add_argument("--live", action="store_true", help="pings are being sent: expect numbers to grow")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        with Browser(options.chromedriver) as browser:
            try:
                drive(browser, options.url, options.out, options.live)
            except Failure:
                browser.screenshot(options.out / "failure.png")
                raise
    except Failure as failure:
        sys.exit(f"page: {failure}")
    except FileNotFoundError as missing:
        sys.exit(f"page: {missing}; Debian's packages are chromium and chromium-driver")
    print(f"page: charts, controls, address and 390 pixels are in order; photographs in {options.out}")


if __name__ == "__main__":
    main()
