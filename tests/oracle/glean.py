"""What a ping of Glean's SDKs tells: each type of metric by one rule."""

import datetime
import re
from urllib.parse import urlsplit

from layouts import I64_MAX, I64_MIN, functional_bin
from parsed import Number, Object, at
from told import OTHER, UNKNOWN, Told, category, client_of, escaped, is_date, is_decimal

NUMBERS = "functional(2,8,1)"
LABEL_CHARACTERS = 111
STRING_BYTES = 255
NAME_BYTES = 128
TAGS, TAG_BYTES = 5, 20
LIST_ITEMS = 100
BIN_SAMPLES = 1 << 40
NANOSECONDS = {
    "nanosecond": 1,
    "microsecond": 10**3,
    "millisecond": 10**6,
    "second": 10**9,
    "minute": 60 * 10**9,
    "hour": 3600 * 10**9,
    "day": 86400 * 10**9,
}


def stated(value, what=lambda text: text):
    """A dimension: what the SDK does not know it calls Unknown."""
    if not isinstance(value, str) or value in ("", "Unknown"):
        return UNKNOWN
    value = what(value) or UNKNOWN
    return OTHER if len(value.encode()) > 128 else value


def leading_digits(text):
    return re.match("[0-9]*", text)[0]


def major_minor(text):
    return re.match(r"[0-9]*(\.[0-9]+)?", text)[0]


def day_at_front(text):
    """The date with which a text begins, such as 2026-10-01."""
    if not isinstance(text, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    digits = text[:10].replace("-", "")
    return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if is_date(digits) else None


def build_date(info):
    day, build, sessions = day_at_front(at(info, "build_date")), at(info, "app_build"), at(info, "session_count")
    if day and day != datetime.date(1970, 1, 1) and sessions is None:
        return day.strftime("%Y%m%d")
    if isinstance(build, str) and re.fullmatch("[0-9]{8,14}", build) and is_date(build):
        return build[:8]
    return UNKNOWN


def dimensions(namespace, ping):
    info = ping.get("client_info")
    return {
        "application": namespace,
        "channel": stated(at(info, "app_channel")),
        "version": stated(at(info, "app_display_version"), leading_digits),
        "build_date": build_date(info),
        "architecture": stated(at(info, "architecture")),
        "os": stated(at(info, "os")),
        "os_version": stated(at(info, "os_version"), major_minor),
        "locale": stated(at(info, "locale")),
        "ping_reason": stated(at(ping, "ping_info", "reason")),
    }


def integer(value):
    """A whole number; -0 is none that the SDK writes."""
    return value.whole() if isinstance(value, Number) and value.text != "-0" else None


def natural(value):
    """A whole number, however it is written; with a point or an exponent it is a double."""
    if not isinstance(value, Number):
        return None
    whole = value.whole()
    if whole is None and float(value.text).is_integer():
        whole = int(float(value.text))
    return whole


class Metric:
    """One metric of a ping, and what is added to it. Readings of the types answer whether anything was told."""

    def __init__(self, told, name, received):
        self.told = told
        self.name = name
        self.received = received

    def number(self, label, value, name=None):
        before = self.told.cells.get((name or self.name, "", label, NUMBERS), [0, 0])[1]
        if value is None or not I64_MIN <= before + value <= I64_MAX:
            return False
        self.told.add(name or self.name, "", label, NUMBERS, value, [(functional_bin(value, 2, 8), 1)])
        return True

    def counter(self, label, value):
        value = natural(value)
        return value is not None and value >= 0 and self.number(label, value)

    quantity = counter

    def timespan(self, label, value):
        count, unit = natural(at(value, "value")), at(value, "time_unit")
        if count is None or count < 0 or not isinstance(unit, str) or unit not in NANOSECONDS:
            return False
        return self.number(label, count * NANOSECONDS[unit])

    def datetime(self, label, value):
        day = day_at_front(value)
        return day is not None and self.number(label, (self.received - day).days)

    def rate(self, label, value):
        parts = [natural(at(value, part)) for part in ("numerator", "denominator")]
        if any(part is None or not 0 <= part <= I64_MAX for part in parts):
            return False
        self.number(label, parts[0], self.name + ":numerator")
        return self.number(label, parts[1], self.name + ":denominator")

    def value(self, label, text, times=1):
        text = OTHER if len(text.encode()) > STRING_BYTES else text
        self.told.marker(self.name)
        self.told.add(self.name, "", category(label, text), "categories(0,0,0)", 0, [(0, times)])
        return False

    def boolean(self, label, value):
        return isinstance(value, bool) and self.value(label, "true" if value else "false")

    def string(self, label, value):
        return isinstance(value, str) and self.value(label, value)

    def string_list(self, label, value):
        items = list(enumerate(value)) if isinstance(value, list) else []
        is_over = lambda place, item: place >= LIST_ITEMS or len(item.encode()) > STRING_BYTES
        texts = [OTHER if is_over(place, item) else item for place, item in items if isinstance(item, str)]
        for text in dict.fromkeys(texts):
            self.value(label, text, texts.count(text))
        return False

    def url(self, label, value):
        if not isinstance(value, str):
            return False
        return self.value(label, host(value) or UNKNOWN)

    def distribution(self, label, value, base, per_magnitude):
        total, values = natural(at(value, "sum")), at(value, "values")
        bins = {}
        # A key that is no number is passed over, however often it stands there.
        keyed = Object([pair for pair in values.pairs if is_decimal(pair[0])] if isinstance(values, Object) else [])
        for key, samples in keyed.once():
            samples = integer(samples)
            if samples is not None and 0 <= samples <= BIN_SAMPLES:
                bins[int(key)] = samples
        bins = {bound: samples for bound, samples in bins.items() if samples}
        before = [cell[1] for key, cell in self.told.cells.items() if key[:3] == (self.name, "", label)]
        if not bins or total is None or total < 0 or sum(before) + total > I64_MAX:
            return False
        layout = "keys(0,0,0)"
        if base and all(functional_bin(bound, base, per_magnitude) == bound for bound in bins):
            layout = f"functional({base},{per_magnitude},0)"
        self.told.add(self.name, "", label, layout, total, bins.items())
        return True

    def timing_distribution(self, label, value):
        return self.distribution(label, value, 2, 8)

    def memory_distribution(self, label, value):
        return self.distribution(label, value, 2, 16)

    def custom_distribution(self, label, value):
        return self.distribution(label, value, None, None)


def host(text):
    """The host of a URL, in lower case, without port."""
    name = (urlsplit(text).hostname or "").lower()
    return f"[{name}]" if ":" in name else name


PLAIN = [
    "boolean", "counter", "quantity", "string", "string_list", "url", "datetime", "timespan", "rate",
    "timing_distribution", "memory_distribution", "custom_distribution",
]
LABELED = ["boolean", "counter", "quantity", "string", "timing_distribution", "memory_distribution", "custom_distribution"]


def short(label):
    return label if 0 < len(label) <= LABEL_CHARACTERS else OTHER


def labels_of(value):
    return value.once() if isinstance(value, Object) else []


def section(told, kind, name, value, received):
    metric = Metric(told, name, received)
    if kind in PLAIN:
        getattr(metric, kind)("", value)
    elif kind == "dual_labeled_counter":
        for key, inner in labels_of(value):
            for below, number in labels_of(inner):
                is_long = len(key) > LABEL_CHARACTERS or len(below) > LABEL_CHARACTERS
                label = OTHER if is_long else escaped(key, "%/") + "/" + escaped(below, "%/")
                if metric.counter(label, number):
                    told.marker(name)
    elif kind.removeprefix("labeled_") in LABELED:
        for key, item in labels_of(value):
            if getattr(metric, kind.removeprefix("labeled_"))(short(key), item):
                told.marker(name)


def source_tags(header):
    """The first five different tags, ascending: a list in any order is one value."""
    tags = []
    for tag in (header or "").split(","):
        tag = tag.strip()
        tag = OTHER if len(tag.encode()) > TAG_BYTES else tag
        if tag and tag not in tags and len(tags) < TAGS:
            tags.append(tag)
    return ",".join(sorted(tags)) or UNKNOWN


def tell(namespace, doc_type, ping, received, headers):
    told = Told(f"{namespace}/{doc_type}")
    told.dimensions = {**dimensions(namespace, ping), "source_tags": source_tags(headers.get("x-source-tags"))}
    told.client = client_of(at(ping, "client_info", "client_id"))
    metrics = ping.get("metrics")
    for kind, names in metrics.once() if isinstance(metrics, Object) else []:
        known = kind in PLAIN or kind == "dual_labeled_counter" or kind.startswith("labeled_")
        for name, value in names.once() if isinstance(names, Object) else []:
            if known and len(name.encode()) <= NAME_BYTES:
                section(told, kind, name, value, received)
    events = ping.get("events")
    counts = {}
    for event in events if isinstance(events, list) else []:
        parts = [at(event, part) for part in ("category", "name")]
        if all(isinstance(part, str) for part in parts):
            name = "events:" + ".".join(parts)
            counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        Metric(told, name, received).number("", count)
    # Several keys may be one label: the ping counts once for it.
    for cell in told.cells.values():
        cell[0] = 1
    return told
