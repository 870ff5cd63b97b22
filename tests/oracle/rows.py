"""Rows: what the pings that count tell, added up."""

import datetime
from urllib.parse import unquote

import declared
import glean
import telemetry
from parsed import Unreadable, parse, readable_object
from told import UNKNOWN, is_uuid

REPEAT_WINDOW = datetime.timedelta(days=14)
USER_DIMENSIONS = ("application", "channel", "version", "os")


def document_of(uri):
    """Namespace, document type and document id of a submission."""
    parts = uri.split("?")[0].split("/")[2:]
    namespace, doc_type, document = (parts[0], parts[2], parts[1]) if parts[0] == "telemetry" else (parts[0], parts[1], parts[3])
    document = unquote(document)
    return namespace, doc_type, document.lower() if is_uuid(document) else None


def tell(declaration, ping):
    """What a ping tells; None where no reader counts its like."""
    namespace, doc_type, _ = document_of(ping.uri)
    if doc_type == "deletion-request":
        readable_object(ping.body)
        return None
    body = parse(ping.body)
    day = ping.received.date()
    if namespace == "telemetry":
        return telemetry.tell(body, day) if doc_type == "main" else None
    if f"{namespace}/{doc_type}" in declaration["sources"]:
        return declared.tell(declaration, namespace, doc_type, body, day, ping.headers)
    if glean.at(body, "ping_info") is None:
        return None
    return glean.tell(namespace, doc_type, body, day, ping.headers)


def told_by_each(declaration, pings, counts):
    """Each ping that tells anything, with what it tells, in the order of receipt."""
    for ping in sorted(pings, key=lambda ping: ping.received):
        try:
            told = tell(declaration, ping)
        except Unreadable:
            counts["errored_pings"] += 1
            continue
        if told is None:
            counts["stored_only"] += 1
        else:
            yield ping, told


def is_repeat(last, ping):
    """A copy is a repeat if the copy before it is not older than the window, whether or not that one counted."""
    document = document_of(ping.uri)
    if document[2] is None:
        return False
    before = last.get(document)
    last[document] = ping.received
    return before is not None and ping.received - before <= REPEAT_WINDOW


def dimensions_of(told, names=None):
    """What was stated, as one value."""
    return tuple(sorted((n, v) for n, v in told.dimensions.items() if v != UNKNOWN and (names is None or n in names)))


def aggregated(declaration, pings):
    """Cells and clients by what they are kept under, and what became of how many pings."""
    cells, clients, last = {}, {}, {}
    counts = {"folded": 0, "errored_pings": 0, "stored_only": 0, "repeated": 0}
    for ping, told in told_by_each(declaration, pings, counts):
        day = ping.received.strftime("%Y%m%d")
        # A user is the same user in every copy.
        if told.client is not None:
            clients.setdefault((told.source, day, dimensions_of(told, USER_DIMENSIONS)), set()).add(told.client)
        if is_repeat(last, ping):
            counts["repeated"] += 1
            continue
        counts["folded"] += 1
        told.marker("pings:")
        for name, (count, total, bins) in told.cells.items():
            row = cells.setdefault((told.source, day, dimensions_of(told), *name), [0, 0, {}])
            row[0] += count
            row[1] += total
            for bound, samples in bins.items():
                row[2][bound] = row[2].get(bound, 0) + samples
    return cells, clients, counts
