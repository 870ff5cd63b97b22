"""The shape of an identifier, as docs/declarations.md says it."""

import ipaddress
import re

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MAC = "[0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){5}"
VERSIONS = re.compile("version|release|build")


def keeps_out(name, about, text):
    """Whether a value of this dimension is an identifier, where none may be."""
    if "values" in about or about.get("as", "text") not in ("text", "lower"):
        return False
    place = about.get("header") or about.get("uri") or about["path"].rsplit("/", 1)[-1]
    return is_identifier(text, bool(VERSIONS.search(f"{name} {place.lower()}")))


def is_identifier(text, is_version):
    bare = text.strip("{}()[]<>\"' ")
    flags = re.IGNORECASE | re.ASCII
    if re.search(UUID, text, flags) or re.fullmatch(MAC, bare, flags):
        return True
    if re.fullmatch("[0-9a-f]{32,}|(?=.*[0-9])(?=.*[a-f])[0-9a-f]{16,}", bare, flags):
        return True
    if re.fullmatch(r"[^\s/:@]+@([\w-]+\.)+[^\W\d_]{2,}", bare):
        return True
    return is_address(text, bare, is_version) or has_token(text)


def is_address(text, bare, is_version):
    whole = address(bare.split("%")[0])
    if whole and (not is_version if whole.version == 4 else re.search("[0-9]", bare.split("%")[0])):
        return True
    host, colon, port = text.rpartition(":")
    if not (colon and re.fullmatch("[0-9]+", port) and int(port) < 1 << 16):
        return False
    inside = re.fullmatch(r"\[(.*)\]", host)
    found = address(inside[1].split("%")[0] if inside else host)
    return bool(found) and found.version == (6 if inside else 4)


def address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def has_token(text):
    if re.match(r"[vV]?[0-9]+\.[0-9]", text):
        return False
    for row in re.findall("[0-9A-Za-z]{20,}", text):
        kinds = ["0" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in row]
        begun = sum(pair[0] != pair[1] and pair != ("A", "a") for pair in zip(kinds, kinds[1:]))
        if "0" in kinds and set(kinds) != {"0"} and begun * 4 >= len(row):
            return True
    return False
