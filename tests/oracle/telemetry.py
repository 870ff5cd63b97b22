"""What a main ping of Firefox tells, from what is known of the original."""

import re

from layouts import I64_MAX, I64_MIN, exponential_bounds, largest_not_above
from parsed import Number, Object, at
from told import OTHER, UNKNOWN, Told, client_of, is_decimal

KINDS = {0: "exponential", 1: "linear", 2: "boolean", 3: "flag", 4: "count", 5: "categorical"}
# A histogram of type count, a scalar and a simple measure put one sample into these.
COUNT = (1, 10000, 100)
SIMPLE = (1, 30000, 50)
NOT_READ = {"MESSAGE_MANAGER_MESSAGE_SIZE", "VIDEO_DETAILED_DROPPED_FRAMES_PROPORTION"}
NAVIGATION = "browser.engagement.navigation"
NAME_BYTES = 512
BIN_SAMPLES = 1 << 40
RANGE = 1 << 53


def text(value, what=lambda text: text):
    """The value of a dimension."""
    if not isinstance(value, str) or not value:
        return UNKNOWN
    value = what(value)
    return OTHER if len(value.encode()) > 128 else value


def build_date(build_id):
    return build_id[:8] if re.match("[0-9]{8}", build_id) else UNKNOWN


def linux_version(version):
    """Major and minor number; of what has none the first three characters, as the original kept."""
    numbers = re.match(r"[0-9]+\.[0-9]+", version, re.ASCII)
    return numbers[0] if numbers else version[:3]


def dimensions(ping):
    application = ping.get("application")
    system = at(ping, "environment", "system", "os")
    os = text(at(system, "name"))
    e10s = at(ping, "environment", "settings", "e10sEnabled")
    return {
        "channel": text(at(application, "channel")),
        "version": text(at(application, "version"), lambda version: version.split(".")[0] or UNKNOWN),
        "build_date": text(at(application, "buildId"), build_date),
        "application": text(at(application, "name")),
        "architecture": text(at(application, "architecture")),
        "os": os,
        "os_version": text(at(system, "version"), linux_version if os == "Linux" else str),
        "e10s": {True: "true", False: "false"}.get(e10s, UNKNOWN) if isinstance(e10s, bool) else UNKNOWN,
    }


def named(name):
    return len(name.encode()) <= NAME_BYTES


def whole(value):
    """A whole number, as a histogram has it; -0 is none that the client writes, and what 64 bits do not hold is none."""
    number = value.whole() if isinstance(value, Number) and value.text != "-0" else None
    return number if number is not None and I64_MIN <= number < 2**64 else None


def layout_of(kind, histogram):
    span, count = histogram.get("range"), whole(histogram.get("bucket_count"))
    if kind in (2, 3, 4):
        return f"{KINDS[kind]}(1,2,3)"
    if kind == 5 and count is not None and count >= 0:
        # Its bins are the numbers of its categories, whatever its range says.
        return f"categorical(1,{count - 1},{count})"
    if not isinstance(span, list) or len(span) != 2 or count is None or count < 0:
        return None
    low, high = map(whole, span)
    if low is None or high is None:
        return None
    return f"{KINDS[kind]}({low},{high},{count})" if kind in KINDS else None


def bins_of(values):
    """Bound and samples of each bin whose key is a number as it is written in decimal; others are passed over."""
    for key, samples in values.once():
        samples = whole(samples)
        if is_decimal(key) and samples is not None:
            yield int(key), samples


def histogram(told, process, metric, label, value):
    """Adds a histogram; into one whose name is too long nobody looks."""
    if not (named(metric) and named(label)):
        return
    values = at(value, "values")
    total, kind = whole(at(value, "sum")), whole(at(value, "histogram_type"))
    layout = layout_of(kind, value) if isinstance(value, Object) else None
    bins = list(bins_of(values)) if isinstance(values, Object) else None
    # Of a count only the sum counts, so that samples below zero do no harm.
    least = -BIN_SAMPLES if kind == 4 else 0
    if bins is not None and any(not least <= samples <= BIN_SAMPLES for _, samples in bins):
        return
    if bins is None or total is None or kind not in KINDS or not 0 <= total <= I64_MAX:
        return
    if kind == 4:
        bound = largest_not_above(exponential_bounds(*COUNT), total)
        told.add(f"[[COUNT]]_{metric}", process, label, "exponential(1,10000,100)", total, [(bound, 1)])
    elif layout is not None:
        told.add(metric, process, label, layout, total, bins)


def histograms(told, process, owner):
    for metric, value in pairs(at(owner, "histograms")):
        histogram(told, process, metric, "", value)
    for metric, labels in pairs(at(owner, "keyedHistograms")):
        for label, value in pairs(labels) if metric not in NOT_READ else []:
            histogram(told, process, metric, label, value)


def pairs(value):
    return value.once() if isinstance(value, Object) else []


def sample(told, process, metric, label, value, layout):
    """One sample of a number; fractions are cut, negative ones are none."""
    if isinstance(value, bool):
        value = int(value)
    elif isinstance(value, Number):
        value = int(value.exact()) if value.exact() >= 0 else -1
    else:
        return
    if 0 <= value <= I64_MAX:
        bound = largest_not_above(exponential_bounds(*layout), value)
        told.add(metric, process, label, "exponential(%d,%d,%d)" % layout, value, [(bound, 1)])


def simple_measures(told, process, owner):
    for name, value in pairs(at(owner, "simpleMeasurements")):
        below = pairs(value) if isinstance(value, Object) else [(None, value)]
        for inner, number in below:
            metric = "SIMPLE_MEASURES_" + name.upper() + ("" if inner is None else "_" + inner.upper())
            if named(metric):
                sample(told, process, metric, "", number, SIMPLE)


def scalars(told, process, owner):
    plain = [(name, "", value) for name, value in pairs(at(owner, "scalars"))]
    keyed = [
        (name, label.upper(), value)
        for name, labels in pairs(at(owner, "keyedScalars"))
        if not name.startswith(NAVIGATION)
        for label, value in pairs(labels)
    ]
    for name, label, value in plain + keyed:
        if named(label) and not name.startswith(NAVIGATION):
            sample(told, process, "SCALARS_" + name.upper(), label, value, COUNT)


def tell(ping, _):
    told = Told("telemetry/main")
    told.dimensions = dimensions(ping)
    told.client = client_of(ping.get("clientId"))
    payload = ping.get("payload")
    histograms(told, "parent", payload)
    simple_measures(told, "parent", payload)
    children = at(payload, "childPayloads")
    for child in children if isinstance(children, list) else []:
        histograms(told, "content", child)
        simple_measures(told, "content", child)
    for process, owner in pairs(at(payload, "processes")):
        if process != "parent":
            histograms(told, process, owner)
        scalars(told, process, owner)
    return told
