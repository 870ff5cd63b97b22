"""What one ping tells, as cells of its own: rows are sums of these."""

import re

CATEGORIES = "categories(0,0,0)"
UNKNOWN = "UNKNOWN"
OTHER = "OTHER"
PLACEHOLDERS = {"c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0", "00000000-0000-0000-0000-000000000000"}


class Told:
    """Dimensions by name, cells by (metric, process, label, layout), and the client."""

    def __init__(self, source):
        self.source = source
        self.dimensions = {}
        self.cells = {}
        self.client = None

    def add(self, metric, process, label, layout, sum, bins):
        """One submission of a cell; what is added to it again before `end` is another one."""
        cell = self.cells.setdefault((metric, process, label, layout), [0, 0, {}])
        cell[0] += 1
        cell[1] += sum
        for bound, samples in bins:
            if samples:
                cell[2][bound] = cell[2].get(bound, 0) + samples

    def marker(self, metric):
        """That a ping contributed to a labelled metric or a category."""
        self.cells[(metric, "", "", CATEGORIES)] = [1, 0, {}]


def is_uuid(text):
    parts = text.split("-") if isinstance(text, str) else []
    digits = set("0123456789abcdefABCDEF")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(set(part) <= digits for part in parts)


def client_of(value):
    """The normal form of a client's id; None for what is none."""
    if not is_uuid(value):
        return None
    value = value.lower()
    return None if value in PLACEHOLDERS else value


def escaped(text, signs):
    """A text in which these signs are percent-encoded."""
    return "".join(f"%{ord(sign):02X}" if sign in signs else sign for sign in text)


def category(key, value):
    """The label of a category's value; `key` is that of a labelled one."""
    return f"{escaped(key, '%=')}={value}"


def is_decimal(text):
    """Whether a text is a whole number of 64 bits as it is written in decimal."""
    return re.fullmatch("0|-?[1-9][0-9]*", text) is not None and -(2**63) <= int(text) < 2**63


def is_date(digits):
    """Whether eight digits are a day of the calendar."""
    import datetime

    try:
        datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
