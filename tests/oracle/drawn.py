"""Random pings of three readers, from a seed alone."""

import datetime
import random
import uuid

from layouts import exponential_bounds, functional_keys
from odd import Draw, Pairs, Raw, text_of

FIRST_DAY = datetime.datetime(2026, 3, 1)
DAYS = 40


class Ping:
    """A ping as it is posted: when, where, with which headers, and its body."""

    def __init__(self, received, uri, headers, body):
        self.received = received
        self.uri = uri
        self.headers = headers
        self.body = body


def moment(draw):
    """Mostly on three days, so that many pings meet in one row."""
    day = draw.random.randrange(DAYS) if draw.odd(4) else draw.some([3, 4, 20])
    return FIRST_DAY + datetime.timedelta(days=day, microseconds=draw.random.randrange(86_400 * 10**6))


def identity(draw):
    return str(uuid.UUID(int=draw.random.getrandbits(128), version=4))


def client(draw, clients):
    value = clients[draw.random.randrange(len(clients))]
    if draw.odd(10):
        value = value.upper()
    odd = ["c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0", "00000000-0000-0000-0000-000000000000", "unknown", "", 7, None]
    return draw.some(odd) if draw.odd(15) else value


def histogram(draw):
    kind = draw.random.randrange(6)
    low, high, count = draw.some([(1, 10000, 50), (1, 100, 20), (1, 2, 4)])
    bounds = [0, 1, 2] if kind in (2, 3, 4) else exponential_bounds(low, high, count)
    values = draw.object(lambda: str(draw.some(bounds)) if not draw.odd(60) else draw.some(["-1", "x", "", "01", "3.5", "12345"]), draw.count, 5)
    pairs = Pairs()
    draw.maybe(pairs, "range", [low, high], 0.99)
    draw.maybe(pairs, "bucket_count", draw.or_odd(count), 0.99)
    draw.maybe(pairs, "histogram_type", draw.or_odd(kind), 0.99)
    draw.maybe(pairs, "values", draw.or_odd(values), 0.99)
    draw.maybe(pairs, "sum", draw.number() if draw.odd(10) else Raw(str(draw.random.randrange(100000))), 0.99)
    return draw.shuffled(pairs)


HISTOGRAMS = ["GC_MS", "CYCLE_COLLECTOR", 'ODD"NAME', "größe", "MESSAGE_MANAGER_MESSAGE_SIZE"]


def histogram_name(draw):
    return draw.some(HISTOGRAMS) if not draw.odd(30) else draw.word()


def sections(draw, owner):
    draw.maybe(owner, "histograms", draw.or_odd(draw.object(lambda: histogram_name(draw), lambda: draw.or_odd(histogram(draw)), 4)))
    keyed = draw.object(
        lambda: histogram_name(draw), lambda: draw.or_odd(draw.object(draw.label, lambda: draw.or_odd(histogram(draw)), 6)), 2
    )
    draw.maybe(owner, "keyedHistograms", draw.or_odd(keyed), 0.5)
    return owner


def simple(draw):
    inner = lambda: draw.object(lambda: draw.some(["start", "end", "größe"]), lambda: draw.or_odd(draw.number()), 3)
    return draw.object(lambda: draw.some(["firstPaint", "main", "js", 'a"b']), lambda: inner() if draw.odd(4) else draw.or_odd(draw.number()), 4)


def scalars(draw, owner):
    names = ["browser.tabs", "browser.engagement.navigation.urlbar", "größe", "a.b"]
    value = lambda: draw.some([draw.number(), True, False, "text"]) if draw.odd(4) else draw.number()
    draw.maybe(owner, "scalars", draw.or_odd(draw.object(lambda: draw.some(names), value, 4)))
    keyed = draw.object(lambda: draw.some(names), lambda: draw.or_odd(draw.object(draw.label, value, 4)), 2)
    draw.maybe(owner, "keyedScalars", draw.or_odd(keyed), 0.5)
    return owner


def telemetry(draw, clients):
    application, os = Pairs(), Pairs()
    channel, version = draw.some(["nightly", "beta", "release"]), draw.some(["54.0a1", "53.0", "9.10.1"])
    build = draw.some(["20260130030205", "20260201", "20261399000000"])
    draw.maybe(application, "channel", draw.or_odd(channel if not draw.odd(30) else draw.word()), 0.95)
    draw.maybe(application, "version", draw.or_odd(version), 0.95)
    draw.maybe(application, "buildId", draw.or_odd(build), 0.95)
    draw.maybe(application, "name", draw.or_odd("Firefox"), 0.95)
    draw.maybe(application, "architecture", draw.or_odd("x86-64"), 0.95)
    name = draw.some(["Linux", "Windows_NT", "Darwin"])
    draw.maybe(os, "name", draw.or_odd(name), 0.95)
    draw.maybe(os, "version", draw.or_odd(draw.some(["5.15.0-91-generic", "10.0", "6.1", "4.4", "15"])), 0.95)
    payload = sections(draw, Pairs())
    draw.maybe(payload, "simpleMeasurements", draw.or_odd(simple(draw)))
    child = lambda: draw.or_odd(sections(draw, Pairs()) + Pairs([("simpleMeasurements", simple(draw))]))
    draw.maybe(payload, "childPayloads", draw.or_odd([Pairs(c) if isinstance(c, list) and c and isinstance(c[0], tuple) else c for c in (child() for _ in range(draw.random.randrange(3)))]), 0.4)
    processes = Pairs()
    for process in ("parent", "content", "gpu", "extension"):
        draw.maybe(processes, process, draw.or_odd(scalars(draw, sections(draw, Pairs()))), 0.5)
    draw.maybe(payload, "processes", draw.or_odd(processes), 0.7)
    ping = Pairs([("type", "main")])
    draw.maybe(ping, "clientId", client(draw, clients), 0.95)
    draw.maybe(ping, "application", draw.or_odd(application), 0.98)
    draw.maybe(ping, "payload", draw.or_odd(payload), 0.98)
    draw.maybe(ping, "environment", {"settings": {"e10sEnabled": draw.or_odd(draw.some([True, False]))}, "system": {"os": os}}, 0.95)
    uri = f"/submit/telemetry/%s/main/Firefox/{version}/{channel}/{build}?v=4"
    return uri, {}, ping


GLEAN_NAMES = ["docs.opened", "docs.size", "ui.theme", "größe.x", 'odd"name.y']


def glean_value(draw, kind):
    if kind == "boolean":
        return draw.some([True, False])
    if kind in ("counter", "quantity"):
        return draw.number()
    if kind == "string":
        return draw.word()
    if kind == "string_list":
        return [draw.or_odd(draw.word()) for _ in range(draw.some([0, 1, 3, 5, 103]))]
    if kind == "url":
        return draw.some(["https://Notes.Example.org:8443/start?u=1", "http://user:p@h.example/", "about:blank", "moz://x", "nothing", "https://[2001:DB8::1]:80/"])
    if kind == "datetime":
        return draw.some(["2026-10-02+00:00", "2026-03-05T19:33+00:00", "2026-02-28T23:59:59.123-11:30", "2026-01-31+5.5:00", "2026-02-30", "26-01-01", "2026-01"])
    if kind == "timespan":
        unit = draw.some(["nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week"])
        return draw.shuffled(Pairs([("time_unit", draw.or_odd(unit)), ("value", draw.or_odd(draw.number()))]))
    if kind == "rate":
        return draw.shuffled(Pairs([("numerator", draw.or_odd(draw.number())), ("denominator", draw.or_odd(draw.number()))]))
    per_magnitude = 8 if kind == "timing_distribution" else 16
    keys = functional_keys(2, per_magnitude)[:300]
    key = lambda: str(draw.some(keys)) if not draw.odd(30) else draw.some(["5", "25", "-1", "x", "007", "18446744073709551616"])
    pairs = Pairs([("sum", draw.or_odd(draw.number())), ("values", draw.or_odd(draw.object(key, draw.count, 6)))])
    return draw.shuffled(pairs)


TYPES = ["boolean", "counter", "quantity", "string", "timing_distribution", "memory_distribution", "custom_distribution"]
ALL_TYPES = [*TYPES, *(f"labeled_{kind}" for kind in TYPES), "string_list", "url", "datetime", "timespan", "rate", "dual_labeled_counter", "uuid", "text"]


def glean_metric(draw, kind):
    if kind in ("uuid", "text"):
        return draw.word()
    if kind == "dual_labeled_counter":
        return draw.object(draw.label, lambda: draw.or_odd(draw.object(draw.label, lambda: draw.or_odd(draw.number()), 3)), 3)
    if kind.startswith("labeled_"):
        return draw.object(draw.label, lambda: draw.or_odd(glean_value(draw, kind.removeprefix("labeled_"))), 6)
    return glean_value(draw, kind)


def glean(draw, clients):
    metrics = Pairs()
    for kind in draw.random.sample(ALL_TYPES, 6):
        # One name has one type, as of one application.
        suffix = f"_{kind}"
        names = lambda: draw.some(GLEAN_NAMES) + suffix if not draw.odd(60) else draw.some(["w" * 128, "w" * 129, "plain"])
        draw.maybe(metrics, kind, draw.or_odd(draw.object(names, lambda: draw.or_odd(glean_metric(draw, kind)), 4)))
    info, about = Pairs(), Pairs([("seq", 1)])
    draw.maybe(about, "reason", draw.or_odd(draw.some(["today", "startup"])), 0.5)
    for name, values in (
        ("app_channel", ["beta", "nightly", "Unknown"]), ("app_display_version", ["7.1", "8", "v9", "12.3.4"]),
        ("app_build", ["20260102030405", "1234/A", "20261341", "202601"]), ("architecture", ["x86_64", "Unknown", "arm64-v8a"]),
        ("os", ["Linux", "Android", "Windows"]), ("os_version", ["14", "17.4.1", "Unknown", "x.y"]), ("locale", ["de-DE", "und"]),
        ("build_date", ["1970-01-01T00:00:00+00:00", "2026-01-05T10:00:00+01:00", "2026-01-31-5.5:00", "soon"]),
    ):
        draw.maybe(info, name, draw.or_odd(draw.some(values) if not draw.odd(50) else draw.word()), 0.85)
    draw.maybe(info, "session_count", 3, 0.1)
    draw.maybe(info, "client_id", client(draw, clients), 0.9)
    event = lambda: draw.or_odd({"timestamp": 0, "category": draw.some(["ui", "", "größe"]), "name": draw.or_odd(draw.some(["saved", 'odd"']))})
    ping = Pairs([("ping_info", about)])
    draw.maybe(ping, "client_info", draw.or_odd(info), 0.97)
    draw.maybe(ping, "metrics", draw.or_odd(metrics), 0.97)
    draw.maybe(ping, "events", draw.or_odd([event() for _ in range(draw.random.randrange(4))]), 0.5)
    source = draw.some(["acme-notes/usage", "acme-notes/usage", "acme-web/metrics", "acme-notes/deletion-request"])
    tags = ["automation", "ci,automation", " automation , ci,ci", "a,b,c,d,e,f", "w" * 20, "w" * 21 + ",x", ",", "UNKNOWN"]
    headers = {"x-source-tags": draw.some(tags)} if draw.odd(3) else {}
    return f"/submit/{source}/1/%s", headers, draw.shuffled(ping)


def run(draw, ping):
    draw.maybe(ping, "plugins", draw.or_odd(draw.number()))
    draw.maybe(ping, "level", draw.or_odd(draw.number()))
    draw.maybe(ping, "steps", draw.or_odd(draw.number()))
    draw.maybe(ping, "editor", draw.or_odd(draw.some(["vi", "ed", "emacs"])))
    draw.maybe(ping, "word", draw.or_odd(draw.word()))
    draw.maybe(ping, "tools", draw.or_odd([draw.or_odd(draw.word()) for _ in range(draw.random.randrange(5))]))
    part = lambda: draw.or_odd({"name": draw.or_odd(draw.word())})
    draw.maybe(ping, "parts", draw.some([[part() for _ in range(3)], draw.object(draw.label, part, 3)]))
    draw.maybe(ping, "lasted", draw.or_odd(draw.number()))
    draw.maybe(ping, "made", draw.or_odd(draw.some(["2026-02-01T10:00", "2026-02-30", "yesterday", "2027-01-01"])))
    draw.maybe(ping, "hits", draw.or_odd({"numerator": draw.or_odd(draw.number()), "denominator": draw.number()}))
    draw.maybe(ping, "commands", draw.or_odd(draw.object(draw.label, lambda: draw.or_odd(draw.number()), draw.some([5, 8, 40]))))
    inner = lambda: draw.or_odd(draw.object(draw.label, lambda: {"n": draw.or_odd(draw.number())}, 3))
    draw.maybe(ping, "nested", draw.or_odd(draw.object(draw.label, inner, 3)))
    draw.maybe(ping, "only", draw.object(lambda: draw.some("abc"), draw.number, 3))
    draw.maybe(ping, "themes", draw.object(draw.label, lambda: draw.or_odd(draw.word()), 4))
    draw.maybe(ping, "flags", draw.object(draw.label, lambda: draw.or_odd(draw.some([True, False])), 4))
    if draw.odd(60):
        # More labels than count.
        ping[:] = [pair for pair in ping if pair[0] != "commands"] + [("commands", Pairs((f"c{n}", 1) for n in range(510)))]


def page(draw, ping):
    draw.maybe(ping, "paint_ms", draw.some([draw.number(), [draw.or_odd(draw.number()) for _ in range(4)]]))
    draw.maybe(ping, "heap", draw.or_odd(draw.number()))
    key = lambda: draw.some(["0", "1", "50", "100", "1000"]) if not draw.odd(20) else draw.some(["-3", "x", "1.5", ""])
    draw.maybe(ping, "sizes", draw.or_odd(draw.object(key, lambda: draw.or_odd(draw.count()), 5)))
    couple = lambda: draw.or_odd([draw.or_odd(draw.number()), draw.or_odd(draw.count())])
    draw.maybe(ping, "couples", draw.or_odd([couple() for _ in range(draw.random.randrange(4))]))
    n = draw.random.randrange(4)
    arrays = {"bins": [draw.or_odd(draw.number()) for _ in range(n)], "counts": [draw.or_odd(draw.count()) for _ in range(n)]}
    draw.maybe(ping, "arrays", draw.or_odd(arrays))
    times = lambda: draw.or_odd({"ms": draw.some([draw.number(), [draw.number(), draw.number()]])})
    draw.maybe(ping, "times", draw.object(draw.label, times, 4))


def declared(draw, clients):
    ping = Pairs()
    draw.maybe(ping, "me", client(draw, clients), 0.9)
    draw.maybe(ping, "v", draw.or_odd(draw.some(["2.4.1", "3", "v3.1", "10.x", "7.08"])))
    draw.maybe(ping, "built", draw.or_odd(draw.some(["2026-01-05", "2026-01-05T10:00", "20260106", "20260106123456", "2026-13-01", "x"])))
    draw.maybe(ping, "channel", draw.or_odd(draw.some(["stable", "beta", "dev", ""])))
    draw.maybe(ping, "os", draw.or_odd({"name": draw.or_odd(draw.some(["Linux", "Plan 9", "w" * 129, "9774d56d682e549c", "ann@example.org"]))}))
    draw.maybe(ping, "url", draw.or_odd(draw.some(["https://Shop.Example:99/a", "shop", "http://user@b.example?x", "https:///x"])), 0.5)
    draw.maybe(ping, "odd/key", {"~mood": draw.or_odd(draw.some(["Glad", "SAD", "so"]))}, 0.5)
    draw.maybe(ping, "list", draw.or_odd([draw.or_odd(draw.some(["one", Raw("7"), True, Raw("1.5"), Raw("-0")])), "two"]), 0.5)
    draw.maybe(ping, "ok", draw.or_odd(draw.some([True, False])))
    draw.maybe(ping, "debug", draw.anything(), 0.2)
    kind = draw.some(["run", "page"])
    (run if kind == "run" else page)(draw, ping)
    headers = {"user-agent": draw.some(["Press/1", "w" * 128, "w" * 129, "UNKNOWN", "10.0.0.7"])} if draw.odd(2) else {}
    return f"/submit/press-cli/{kind}/1/%s", headers, draw.shuffled(ping)


def body_of(draw, ping):
    text = text_of(ping)
    if draw.odd(80):
        text = draw.some(["", "[]", "hello", text[:-1], "NaN", text[:-1] + ",\"x\":NaN}", "\ufeff" + text])
    return text.encode("utf-8", "surrogatepass")


def drawn(seed, count):
    """So many pings of each reader, and repeats of some."""
    draw = Draw(random.Random(seed))
    clients = [identity(draw) for _ in range(60)]
    pings = []
    for _ in range(count):
        for kind in (telemetry, glean, declared):
            uri, headers, ping = kind(draw, clients)
            document = identity(draw) if not draw.odd(40) else draw.some(["no-uuid", "same"])
            first = Ping(moment(draw), uri % document, headers, body_of(draw, ping))
            pings.append(first)
            if draw.odd(8):
                pings.extend(repeats(draw, first, kind, clients, document))
    return pings


def repeats(draw, first, kind, clients, document):
    """Copies of a document: the same again at once or later, or other words under its name."""
    for _ in range(draw.random.randrange(1, 4)):
        days = draw.some([0, 0, 1, 5, 13, 15])
        received = first.received + datetime.timedelta(days=days, microseconds=draw.random.randrange(10**9) if days else 0)
        body = first.body
        if draw.odd(3) and received != first.received:
            _, _, other = kind(draw, clients)
            body = body_of(draw, other)
        uri = first.uri.replace(document, document.upper()) if draw.odd(5) else first.uri
        yield Ping(received, uri, first.headers, body)
