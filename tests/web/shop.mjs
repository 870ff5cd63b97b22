// A page with Glean's JavaScript SDK: records one of each type and submits a ping. `use(endpoint, tag)` is called by the test.
import Glean from "@mozilla/glean/web";
import Ping from "@mozilla/glean/private/ping";
import Boolean_ from "@mozilla/glean/private/metrics/boolean.js";
import Counter from "@mozilla/glean/private/metrics/counter.js";
import CustomDistribution from "@mozilla/glean/private/metrics/custom_distribution.js";
import Datetime from "@mozilla/glean/private/metrics/datetime.js";
import Event_ from "@mozilla/glean/private/metrics/event.js";
import Labeled from "@mozilla/glean/private/metrics/labeled.js";
import MemoryDistribution from "@mozilla/glean/private/metrics/memory_distribution.js";
import Quantity from "@mozilla/glean/private/metrics/quantity.js";
import Rate from "@mozilla/glean/private/metrics/rate.js";
import String_ from "@mozilla/glean/private/metrics/string.js";
import StringList from "@mozilla/glean/private/metrics/string_list.js";
import Timespan from "@mozilla/glean/private/metrics/timespan.js";
import TimingDistribution from "@mozilla/glean/private/metrics/timing_distribution.js";
import Url from "@mozilla/glean/private/metrics/url.js";

const visit = new Ping({ name: "visit", includeClientId: true, sendIfEmpty: false, reasonCodes: ["bought"] });
const about = (name, sendInPings = ["visit"]) => ({ category: "shop", name, sendInPings, lifetime: "ping", disabled: false });

const metrics = {
  open: new Boolean_(about("open")),
  clicks: new Counter(about("clicks")),
  basket: new Quantity(about("basket")),
  theme: new String_(about("theme")),
  pages: new StringList(about("pages")),
  link: new Url(about("link")),
  founded: new Datetime(about("founded"), "day"),
  stayed: new Timespan(about("stayed"), "millisecond"),
  bought: new Rate(about("bought")),
  paint: new TimingDistribution(about("paint"), "millisecond"),
  heap: new MemoryDistribution(about("heap"), "kilobyte"),
  sizes: new CustomDistribution(about("sizes"), 1, 100, 12, "linear"),
  kinds: new Labeled(about("kinds"), Counter),
  options: new Labeled(about("options"), Boolean_, ["wide", "dark"]),
  words: new Labeled(about("words"), String_),
  saved: new Event_(about("saved", ["visit"]), ["kind"]),
};

window.use = (endpoint, tag) => {
  const configuration = { serverEndpoint: endpoint, channel: "beta", appBuild: "20261001120000", appDisplayVersion: "2.4.1", maxEvents: 10 };
  if (tag) {
    Glean.setDebugViewTag(tag);
    Glean.setSourceTags(["automation"]);
  }
  Glean.initialize("acme-shop", true, configuration);
  metrics.open.set(true);
  metrics.clicks.add(3);
  metrics.clicks.add(4);
  metrics.basket.set(12);
  metrics.theme.set("dark");
  metrics.pages.set(["home", "shoes", "home"]);
  metrics.link.set("https://Shop.Example.org:8443/start?u=1");
  metrics.founded.set(new Date());
  metrics.stayed.setRawNanos(1_234_000_000);
  metrics.bought.addToNumerator(1);
  metrics.bought.addToDenominator(4);
  metrics.paint.accumulateSamples([2, 2, 300]);
  metrics.heap.accumulate(1);
  metrics.sizes.accumulateSamples([0, 5, 100, 100]);
  metrics.kinds.pdf.add(3);
  metrics.kinds.png.add(2);
  metrics.kinds["größe"].add(1);
  metrics.options.wide.set(false);
  metrics.options.tall.set(true);
  metrics.words.left.set("warm");
  metrics.saved.record({ kind: "pdf" });
  metrics.saved.record({ kind: "png" });
  visit.submit("bought");
};
window.ready = true;
