"""Odd values for drawn pings, and JSON that says them as they are drawn: numbers by their text, keys twice."""

import json

WORDS = ["docs", "load", "größe", "a b", 'quote"d', "back\\slash", "50%", "x/y", "k=v", "nul\0", "日本", "UP", "__other__", "constructor"]
LONG = ["w" * 111, "w" * 112, "é" * 63 + "xx", "é" * 64, "é" * 65, "w" * 128, "w" * 129, "w" * 256, "w" * 512, "w" * 513]
NUMBERS = [
    "0", "1", "2", "7", "13", "14", "99", "100", "101", "255", "256", "1000", "1023", "1024", "10000", "29999", "30000",
    "65535", "65536", "4294967296", "1099511627776", "9007199254740993", "9223372036854775807",
]
ODD_NUMBERS = [
    "-0", "-1", "-25", "-1000", "-0.5", "0.5", "1.5", "2.4999", "0.0015", "4.35", "1e3", "12E-1", "1.0", "-0.0", "1e18", "1e300",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809",
]


class Raw(str):
    """JSON as it is to stand there."""


class Pairs(list):
    """An object as its pairs."""


def text_of(value):
    """The JSON of a drawn value."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, (dict, Pairs)):
        pairs = value.items() if isinstance(value, dict) else value
        return "{" + ",".join(f"{json.dumps(key)}:{text_of(item)}" for key, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Draw:
    """What is drawn for one ping: mostly what a client means to send, now and then something else."""

    def __init__(self, random):
        self.random = random

    def odd(self, one_in=40):
        return self.random.randrange(one_in) == 0

    def some(self, choices):
        return self.random.choice(choices)

    def number(self):
        if self.odd(8):
            return Raw(self.some(ODD_NUMBERS))
        if self.odd(1000):
            return Raw("1e400")
        return Raw(self.some(NUMBERS))

    def count(self):
        return Raw(str(self.random.randrange(0, 5))) if not self.odd() else self.number()

    def word(self):
        return self.some(LONG) if self.odd(25) else self.some(WORDS)

    def label(self):
        return self.some(["", *WORDS, f"l{self.random.randrange(30)}"]) if not self.odd(25) else self.some(LONG)

    def anything(self):
        """A value of another type than was meant."""
        return self.some([None, True, "", "text", [], {}, [1], {"a": 1}, Raw("3"), Raw("-1"), Raw("1.5")])

    def or_odd(self, value):
        return self.anything() if self.odd() else value

    def maybe(self, pairs, key, value, likely=0.8):
        """Adds a pair, now and then none, rarely twice."""
        if self.random.random() < likely:
            pairs.append((key, value))
            if self.odd(1500):
                pairs.append((key, value))

    def object(self, keys, value, most):
        """An object of drawn keys, none twice but rarely."""
        pairs = Pairs()
        for _ in range(self.random.randrange(most + 1)):
            key = keys()
            if key not in [before for before, _ in pairs] or self.odd(20):
                pairs.append((key, value()))
        return pairs

    def shuffled(self, pairs):
        self.random.shuffle(pairs)
        return pairs
