"""JSON as a ping has it: every number as its text, every object as its pairs in their order, for a key may stand twice."""

import json
from fractions import Fraction


class Unreadable(Exception):
    """The whole ping tells nothing."""


class Number:
    """A number of JSON, as it was written."""

    def __init__(self, text):
        self.text = text

    def exact(self):
        return Fraction(self.text)

    def whole(self):
        """The integer that it is, if its text has neither point nor exponent."""
        return int(self.text) if self.text.lstrip("-").isdigit() else None


class Object:
    """An object of JSON."""

    def __init__(self, pairs):
        self.pairs = pairs

    def get(self, key):
        """The value of a key; None where it is null or not there. Who reads a key that stands twice reads nothing."""
        values = [value for name, value in self.pairs if name == key]
        if len(values) > 1:
            raise Unreadable(f"{key} stands twice")
        return values[0] if values else None

    def once(self):
        """Its pairs, where each key must stand once."""
        if len({key for key, _ in self.pairs}) < len(self.pairs):
            raise Unreadable("a key stands twice")
        return self.pairs


def refuse(word):
    raise Unreadable(f"{word} is no JSON")


def check_doubles(value):
    """Refuses a ping in which a number is more than a double holds."""
    if isinstance(value, Number) and abs(float(value.text)) == float("inf"):
        raise Unreadable(f"{value.text} is more than a double holds")
    for item in value if isinstance(value, list) else [item for _, item in value.pairs] if isinstance(value, Object) else []:
        check_doubles(item)


def mended(text):
    """A text in which halves of surrogate pairs are U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def repaired(value):
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, list):
        return [repaired(item) for item in value]
    if isinstance(value, Object):
        return Object([(mended(key), repaired(item)) for key, item in value.pairs])
    return value


def readable_object(body):
    """The object that a body is, whatever its numbers are."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=refuse
        )
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if not isinstance(value, Object):
        raise Unreadable("no object")
    return repaired(value)


def parse(body):
    """The object that a body is, for those who read its numbers."""
    value = readable_object(body)
    check_doubles(value)
    return value


def at(value, *names):
    """What stands under these keys, one within the other; None where nothing does."""
    for name in names:
        value = value.get(name) if isinstance(value, Object) else None
    return value
