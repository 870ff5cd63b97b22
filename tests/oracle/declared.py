"""What a ping tells by a declaration, as docs/declarations.md says it."""

import re
from fractions import Fraction

from glean import NANOSECONDS, day_at_front, host
from identifiers import keeps_out
from layouts import I64_MAX, I64_MIN, exponential_bounds, functional_bin, glean_linear_bounds, largest_not_above
from parsed import Number, Object, Unreadable, at
from told import OTHER, UNKNOWN, Told, category, client_of, escaped, is_date

BYTES = {"byte": 1, "kilobyte": 2**10, "megabyte": 2**20, "gigabyte": 2**30}
LABELS, VALUES, LABEL_BYTES = 500, 500, 128
BIN_SAMPLES = 1 << 40


def steps_of(path):
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def found(value, steps, labels=()):
    """What stands at a path, each with the keys that `*` stood for, in the order of the ping."""
    if not steps:
        if value is not None:
            yield labels, value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, Object):
        for key, item in value.pairs:
            if step == "*":
                yield from found(item, rest, (*labels, key))
            elif key == step:
                yield from found(item, rest, labels)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if step == "*" or step == str(place):
                yield from found(item, rest, labels)


def check_once(value, paths):
    """A declared key must not stand twice in one object."""
    if isinstance(value, Object):
        for step in {path[0] for path in paths if path} - {"*"}:
            if sum(key == step for key, _ in value.pairs) > 1:
                raise Unreadable(f"{step} stands twice")
        items = value.pairs
    else:
        items = [(str(place), item) for place, item in enumerate(value)] if isinstance(value, list) else []
    for key, item in items:
        check_once(item, [path[1:] for path in paths if path and path[0] in ("*", key)])


def as_form(form, text):
    if form == "major":
        return re.match("[0-9]*", text)[0]
    if form == "major_minor":
        return re.match(r"([0-9]+(\.[0-9]+)?)?", text)[0]
    if form == "lower":
        return text.lower()
    if form == "host":
        return host(text)
    if form == "date":
        day = day_at_front(text)
        if day:
            return day.strftime("%Y%m%d")
        return text[:8] if re.fullmatch("[0-9]{8,14}", text) and is_date(text) else ""
    return text


def dimension(name, about, ping, headers):
    if "header" in about:
        values = [headers.get(about["header"].lower())]
    else:
        values = [value for _, value in found(ping, steps_of(about["path"]))]
    value = values[0] if values else None
    if value is None or value == "":
        return about.get("default", UNKNOWN)
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, Number) and value.whole() is not None:
        value = str(value.whole())
    if not isinstance(value, str):
        return UNKNOWN
    sent, value = value, as_form(about.get("as"), value)
    if not value:
        return UNKNOWN
    if "values" in about and value not in about["values"]:
        return OTHER
    return OTHER if len(value.encode()) > 128 or keeps_out(name, about, sent) else value


def rounded(exact):
    """The nearest whole number, half away from zero, if 64 bits hold it."""
    whole = int(abs(exact) + Fraction(1, 2))
    whole = -whole if exact < 0 else whole
    return whole if I64_MIN <= whole <= I64_MAX else None


class Metric:
    """A declared metric."""

    def __init__(self, name, about):
        self.name = name
        self.labeled = about["type"].startswith("labeled_")
        self.type = about["type"].removeprefix("labeled_")
        self.about = about
        self.steps = steps_of(about["path"])
        unit = about.get("unit")
        self.factor = NANOSECONDS.get(unit) or BYTES.get(unit) or 1

    def layout(self, is_distribution):
        kind, numbers = next(iter(self.about.get("layout", {"functional": [2, 8]}).items()))
        if kind == "functional":
            base, count = numbers
            return f"functional({base},{count},{0 if is_distribution else 1})", lambda v: functional_bin(v, base, count)
        bounds = (glean_linear_bounds if kind == "linear" else exponential_bounds)(*numbers)
        name = {("linear", True): "glean_linear", ("linear", False): "linear_numbers"}.get((kind, is_distribution), kind)
        name += "_numbers" if name == "exponential" and not is_distribution else ""
        return "%s(%d,%d,%d)" % (name, *numbers), lambda v: largest_not_above(bounds, v)

    def number(self, value, may_be_negative):
        value = rounded(value.exact() * self.factor) if isinstance(value, Number) else None
        return None if value is None or (value < 0 and not may_be_negative) else value

    def samples(self, value):
        """Value and number of each sample of a distribution that stands at one place; None where it is none."""
        form = self.about.get("given_as")
        if form is None:
            values = value if isinstance(value, list) else [value]
            return [(self.number(item, False), 1) for item in values]
        if form == "map":
            if not isinstance(value, Object):
                return []
            couples = [(key_number(key), item) for key, item in value.pairs]
        elif form == "pairs":
            couples = value if isinstance(value, list) else []
            couples = [couple if isinstance(couple, list) and len(couple) == 2 else (None, None) for couple in couples]
        else:
            bins, counts = at(value, "bins"), at(value, "counts")
            if not isinstance(bins, list) or not isinstance(counts, list) or len(bins) != len(counts):
                return []
            couples = zip(bins, counts)
        told = []
        for item, times in couples:
            times = times.whole() if isinstance(times, Number) else None
            if times is not None and 0 < times <= BIN_SAMPLES:
                told.append((self.number(item, self.type == "custom_distribution"), times))
        return told


def key_number(key):
    return Number(key) if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", key) else None


class Taking:
    """What one metric is told by one ping: numbers, texts and distributions by label, in the order of the ping."""

    def __init__(self, metric, told, received):
        self.metric = metric
        self.told = told
        self.received = received
        self.labels = []
        self.values = {}
        self.numbers = {}
        self.distributions = {}

    def label(self, keys):
        about = self.metric.about
        label = "/".join(escaped(key, "%/") for key in keys) if len(keys) > 1 else "".join(keys)
        if self.metric.labeled and not label or len(label.encode()) > LABEL_BYTES or ("labels" in about and label not in about["labels"]):
            return OTHER
        if label not in self.labels:
            if len(self.labels) >= LABELS:
                return OTHER
            self.labels.append(label)
        return label

    def take(self, keys, value):
        metric = self.metric
        kind = metric.type
        if kind in ("boolean", "string"):
            if isinstance(value, bool if kind == "boolean" else str):
                self.text(keys, str(value).lower() if kind == "boolean" else value)
        elif kind == "string_list":
            items = value if isinstance(value, list) else [value] if "*" in metric.steps else []
            for item in items:
                if isinstance(item, str):
                    self.text(keys, item)
        elif kind in ("counter", "quantity", "timespan"):
            number = metric.number(value, kind == "quantity")
            if number is not None:
                self.number(keys, metric.name, number)
        elif kind == "datetime":
            day = day_at_front(value)
            if day:
                self.number(keys, metric.name, (self.received - day).days)
        elif kind == "rate":
            parts = [metric.number(at(value, part), False) for part in ("numerator", "denominator")]
            for name, part in zip(("numerator", "denominator"), parts):
                if part is not None:
                    self.number(keys, f"{metric.name}:{name}", part)
        else:
            samples = [sample for sample in metric.samples(value) if sample[0] is not None]
            if samples:
                self.distributions.setdefault(self.label(keys), []).extend(samples)

    def number(self, keys, name, value):
        self.numbers.setdefault((name, self.label(keys)), []).append(value)

    def text(self, keys, text):
        about = self.metric.about
        if "values" in about:
            text = text if text in about["values"] else OTHER
        elif len(text) > about.get("max_length", 100):
            text = OTHER
        values = self.values.setdefault(self.label(keys), {})
        if text not in values and len(values) >= VALUES:
            text = OTHER
        values[text] = values.get(text, 0) + 1

    def settle(self):
        metric, told = self.metric, self.told
        for label, values in self.values.items():
            for text, times in values.items():
                told.marker(metric.name)
                told.add(metric.name, "", category(label, text), "categories(0,0,0)", 0, [(0, times)])
        layout, bin_of = metric.layout(False)
        for (name, label), numbers in self.numbers.items():
            if not I64_MIN <= sum(numbers) <= I64_MAX:
                continue
            if metric.labeled:
                told.marker(name)
            told.add(name, "", label, layout, sum(numbers), [(bin_of(number), 1) for number in numbers])
        layout, bin_of = metric.layout(True)
        for label, samples in self.distributions.items():
            total = sum(value * times for value, times in samples)
            if I64_MIN <= total <= I64_MAX:
                if metric.labeled:
                    told.marker(metric.name)
                bins = {}
                for value, times in samples:
                    bins[bin_of(value)] = bins.get(bin_of(value), 0) + times
                told.add(metric.name, "", label, layout, total, bins.items())


def tell(declaration, namespace, doc_type, ping, received, headers):
    told = Told(f"{namespace}/{doc_type}")
    metrics = [
        Metric(f"{under}.{name}", about)
        for under, named in declaration["metrics"].items()
        if under in ("all", doc_type)
        for name, about in named.items()
    ]
    paths = [metric.steps for metric in metrics] + [steps_of(declaration["client_id"]["path"])]
    paths += [steps_of(about["path"]) for about in declaration["dimensions"].values() if "path" in about]
    check_once(ping, paths)
    told.dimensions = {name: dimension(name, about, ping, headers) for name, about in declaration["dimensions"].items()}
    clients = [value for _, value in found(ping, steps_of(declaration["client_id"]["path"]))]
    told.client = client_of(clients[0]) if clients else None
    for metric in metrics:
        by = Taking(metric, told, received)
        for keys, value in found(ping, metric.steps):
            # An element of an array gives no label: what needs one is left out.
            if keys or not metric.labeled:
                by.take(keys if metric.labeled else (), value)
        by.settle()
    return told
