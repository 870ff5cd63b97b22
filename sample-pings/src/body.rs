//! The JSON of a main ping: its sections, and their order.
//!
//! What does not live here: what stands in the sections.

use crate::addon::write_details;
use crate::catalogue::{Catalogue, Listed};
use crate::collection::write_collections;
use crate::dice::{Dice, mix};
use crate::environment::write_environment;
use crate::hang::write_hangs;
use crate::histogram::{Filling, Shift};
use crate::info::write_info;
use crate::json::Json;
use crate::keyed::KeyedMetric;
use crate::measurement::{Measurements, write_child_measurements};
use crate::metric::Metric;
use crate::session::Session;
use crate::slow::{write_modules, write_slow_statements};

/// A process whose histograms a ping carries.
#[derive(Clone, Copy, PartialEq)]
enum Process {
    Parent,
    Content,
    Gpu,
    Extension,
}

/// Writes one ping.
pub(crate) struct Body<'a> {
    pub(crate) session: &'a Session,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) measurements: &'a Measurements,
}

/// A member of an object, and what writes its value.
type Section<'a> = (&'static str, fn(&Body<'a>, &mut Json));

impl<'a> Body<'a> {
    /// The whole ping as compact JSON.
    pub(crate) fn write(&self) -> String {
        let mut json = Json::with_capacity(120_000);
        json.open();
        self.sections(
            &mut json,
            vec![
                ("type", |_, json| json.item_text("main")),
                ("id", |body, json| json.item_text(&body.session.document_id)),
                ("creationDate", |body, json| {
                    json.item_text(&body.session.created());
                }),
                ("version", |_, json| json.item_number(4)),
                ("application", Self::application),
                ("payload", Self::payload),
                ("clientId", |body, json| json.item_text(&body.session.client.id)),
                ("environment", |body, json| write_environment(body.session, json)),
            ],
        );
        json.close();
        json.finish()
    }

    /// The sections in this order, or for the old shape in the alphabet's.
    fn sections(&self, json: &mut Json, mut sections: Vec<Section<'a>>) {
        if self.session.is_old() {
            sections.sort_by_key(|(key, _)| *key);
        }
        for (key, write) in sections {
            json.key(key);
            write(self, json);
        }
    }

    fn application(&self, json: &mut Json) {
        let Session { client, build, .. } = self.session;
        json.open();
        json.text("architecture", client.platform.architecture);
        json.text("buildId", &build.id);
        json.text("name", "Firefox");
        json.text("version", build.version);
        json.text("displayVersion", build.version);
        json.text("vendor", "Mozilla");
        json.text("platformVersion", build.version);
        json.text("xpcomAbi", client.platform.abi());
        json.text("channel", client.channel.name);
        json.close();
    }

    fn payload(&self, json: &mut Json) {
        json.open();
        let mut sections: Vec<Section<'a>> = vec![
            ("ver", |_, json| json.item_number(4)),
            ("simpleMeasurements", |body, json| {
                body.measurements.write_simple(body.session, json);
            }),
            ("chromeHangs", |body, json| write_modules(body.session, json)),
            ("threadHangStats", |body, json| write_hangs(body.session, json)),
            ("log", |_, json| json.raw("[],")),
            ("webrtc", |_, json| {
                json.raw("{\"IceCandidatesStats\":{\"webrtc\":{}}},");
            }),
            ("histograms", |body, json| body.histograms(Process::Parent, json)),
            ("keyedHistograms", |body, json| body.keyed(Process::Parent, json)),
            ("processes", Self::processes),
            ("info", |body, json| write_info(body.session, json)),
            ("slowSQL", |body, json| write_slow_statements(body.session, json)),
            ("fileIOReports", |_, json| json.raw("{},")),
            ("lateWrites", |_, json| {
                json.raw("{\"memoryMap\":[],\"stacks\":[]},");
            }),
            ("addonDetails", |body, json| write_details(body.session, json)),
            ("UIMeasurements", |_, json| json.raw("[],")),
        ];
        if self.session.is_old() && self.session.client.e10s {
            sections.push(("childPayloads", Self::child_payloads));
        }
        self.sections(json, sections);
        json.close();
    }

    fn processes(&self, json: &mut Json) {
        json.open();
        json.object("parent", |json| {
            self.measurements.write_scalars(self.session, "parent", json);
            write_collections(self.session, "parent", json);
        });
        let recent = !self.session.is_old();
        if recent && self.session.client.e10s {
            json.object("content", |json| {
                self.measurements.write_scalars(self.session, "content", json);
                self.both(Process::Content, json);
                write_collections(self.session, "content", json);
            });
            json.object("extension", |json| self.both(Process::Extension, json));
        }
        if recent && self.session.client.platform.is_windows() {
            json.object("gpu", |json| self.both(Process::Gpu, json));
        }
        json.close();
    }

    fn both(&self, process: Process, json: &mut Json) {
        json.key("histograms");
        self.histograms(process, json);
        json.key("keyedHistograms");
        self.keyed(process, json);
    }

    /// The old way to tell of content processes: a payload of its own for each; the second one is short.
    fn child_payloads(&self, json: &mut Json) {
        json.open_list();
        for child in 0..2 {
            json.open();
            json.number("ver", 4);
            json.key("simpleMeasurements");
            write_child_measurements(self.session, child, json);
            if child == 0 {
                self.both(Process::Content, json);
            }
            json.close();
        }
        json.close_list();
    }

    fn histograms(&self, process: Process, json: &mut Json) {
        let catalogue = self.catalogue;
        let (list, tag) = match process {
            Process::Parent => (&catalogue.parent, "parent histograms"),
            Process::Content => (&catalogue.content, "content histograms"),
            Process::Gpu => (&catalogue.gpu, "gpu histograms"),
            Process::Extension => (&catalogue.extension, "extension histograms"),
        };
        let mut dice = self.session.dice(tag);
        let mut filling = Filling::default();
        json.open();
        for Listed { metric: place, tier } in list {
            let client = &self.session.client;
            let thing = *place as u64 * 4 + process as u64;
            if tier.reports(thing, client.seed, client.kin) {
                let metric = &catalogue.metrics[*place];
                json.key(&metric.name);
                self.histogram(metric, &mut filling, &mut dice, json);
            }
        }
        json.close();
    }

    fn keyed(&self, process: Process, json: &mut Json) {
        let mut dice = self.session.dice(if process == Process::Parent {
            "parent labels"
        } else {
            "content labels"
        });
        let mut filling = Filling::default();
        let mine = |keyed: &KeyedMetric| match process {
            Process::Parent => !keyed.in_content,
            Process::Content => keyed.in_content,
            Process::Gpu | Process::Extension => false,
        };
        let client = &self.session.client;
        json.open();
        for (nth, keyed) in self
            .catalogue
            .keyed
            .iter()
            .enumerate()
            .filter(|(_, keyed)| mine(keyed))
        {
            let thing = |label: usize| mix(nth as u64, label as u64);
            let reported = |label: usize| {
                keyed.labels[label]
                    .1
                    .reports(thing(label), client.seed, client.kin)
            };
            let labels: Vec<usize> = (0..keyed.labels.len()).filter(|label| reported(*label)).collect();
            if labels.is_empty() {
                continue;
            }
            json.object(&keyed.metric.name, |json| {
                for label in labels {
                    json.key(&keyed.labels[label].0);
                    self.histogram(&keyed.metric, &mut filling, &mut dice, json);
                }
            });
        }
        json.close();
    }

    fn histogram(&self, metric: &Metric, filling: &mut Filling, dice: &mut Dice, json: &mut Json) {
        let Session { client, build, .. } = self.session;
        let trend = metric.trend.map_or(1.0, |trend| trend.factor(client, build));
        let shift = Shift {
            size: client.slowness * trend,
            amount: client.use_of_it,
        };
        filling.draw(metric, shift, dice);
        if self.session.is_old() {
            filling.write_old(metric, json);
        } else {
            filling.write(metric, json);
        }
    }
}
