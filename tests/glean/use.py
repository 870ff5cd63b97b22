"""An application with Glean's Python SDK: records one of everything and submits a ping. Usage: use.py SERVER FOLDER"""

import pathlib
import sys

from glean import Configuration, Glean, load_metrics, load_pings

server, folder = sys.argv[1], pathlib.Path(sys.argv[2])
here = pathlib.Path(__file__).parent
notes = load_metrics(here / "metrics.yaml").notes
pings = load_pings(here / "pings.yaml")
Glean.initialize(
    application_id="acme-notes",
    application_version="2.4.1",
    application_build_id="20261001120000",
    upload_enabled=True,
    data_dir=folder,
    configuration=Configuration(server_endpoint=server, channel="beta"),
)
notes.opened.add(7)
notes.size.set(9007199254740993)
notes.shared.set(True)
notes.theme.set("dark")
notes.plugins.set(["spell", "math", "spell"])
notes.memory.accumulate(1024)
timer = notes.load.start()
notes.load.stop_and_accumulate(timer)
notes.pages.accumulate_samples([1, 1, 60])
notes.kinds["pdf"].add(3)
notes.kinds["png"].add(2)
notes.themes["left"].set("dark")
notes.options["wide"].set(False)
notes.saved.record(notes.SavedExtra(kind="pdf"))
pings.usage.submit()
Glean.shutdown()
