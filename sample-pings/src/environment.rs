//! `environment`: what the ping says about build, machine, settings and profile.

use crate::addon::write_addons;
use crate::dice::Dice;
use crate::json::Json;
use crate::names::WORDS;
use crate::session::Session;

/// Writes `environment`.
pub(crate) fn write_environment(session: &Session, json: &mut Json) {
    let mut dice = Dice::new(session.client.seed, "environment", 0);
    json.open();
    json.object("build", |json| write_build(session, json));
    json.object("partner", |json| {
        for key in [
            "distributionId",
            "distributionVersion",
            "partnerId",
            "distributor",
            "distributorChannel",
        ] {
            json.raw_member(key, "null");
        }
        json.list("partnerNames", |_| {});
    });
    json.object("system", |json| write_system(session, &mut dice, json));
    json.object("settings", |json| write_settings(session, &mut dice, json));
    json.object("profile", |json| {
        json.number("creationDate", dice.between(15_000, 17_200));
        if dice.chance(0.2) {
            json.number("resetDate", dice.between(17_000, 17_250));
        }
    });
    json.key("addons");
    write_addons(session, json);
    json.close();
}

fn write_build(session: &Session, json: &mut Json) {
    let Session { client, build, .. } = session;
    json.text("applicationId", "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}");
    json.text("applicationName", "Firefox");
    json.text("architecture", client.platform.architecture);
    json.text("buildId", &build.id);
    json.text("version", build.version);
    json.text("vendor", "Mozilla");
    json.text("platformVersion", build.version);
    json.text("xpcomAbi", client.platform.abi());
    json.raw_member("hotfixVersion", "null");
}

fn write_system(session: &Session, dice: &mut Dice, json: &mut Json) {
    let platform = session.client.platform;
    json.number(
        "memoryMB",
        dice.pick(&[2_047, 4_010, 8_104, 8_192, 16_292, 32_711]),
    );
    json.number(
        "virtualMaxMB",
        if platform.architecture == "x86" {
            4_096
        } else {
            134_217_728
        },
    );
    json.object("cpu", |json| {
        json.number("count", dice.pick(&[2, 4, 4, 8, 12]));
        json.number("cores", dice.pick(&[1, 2, 2, 4]));
        json.text(
            "vendor",
            dice.pick(&["GenuineIntel", "GenuineIntel", "AuthenticAMD"]),
        );
        json.number("family", 6);
        json.number("model", dice.between(23, 94));
        json.number("stepping", dice.between(1, 9));
        json.number("l2cacheKB", 256);
        json.number("l3cacheKB", dice.pick(&[3_072, 4_096, 6_144, 8_192]));
        json.number("speedMHz", dice.between(1_600, 4_200));
        json.list("extensions", |json| {
            for extension in [
                "hasMMX",
                "hasSSE",
                "hasSSE2",
                "hasSSE3",
                "hasSSSE3",
                "hasSSE4_1",
                "hasSSE4_2",
            ] {
                json.item_text(extension);
            }
        });
    });
    json.object("os", |json| {
        json.text("name", platform.os);
        json.text("version", platform.version);
        json.text("locale", session.client.locale);
        if platform.is_windows() {
            json.number("servicePackMajor", u64::from(platform.version == "6.1"));
            json.number("servicePackMinor", 0);
            json.number("windowsBuildNumber", dice.between(7_601, 15_063));
            json.number("installYear", dice.between(2_012, 2_017));
        }
    });
    json.object("hdd", |json| {
        for disk in ["profile", "binary", "system"] {
            json.object(disk, |json| {
                json.text(
                    "model",
                    dice.pick(&["SPIN 1000", "SPIN 500", "SOLID 256", "SOLID 512"]),
                );
                json.text("revision", dice.pick(&["A100", "B210", "X3"]));
            });
        }
    });
    json.object("gfx", |json| write_graphics(platform.is_windows(), dice, json));
}

fn write_graphics(windows: bool, dice: &mut Dice, json: &mut Json) {
    json.boolean("D2DEnabled", windows && dice.chance(0.6));
    json.boolean("DWriteEnabled", windows);
    json.text("ContentBackend", if windows { "Direct2D 1.1" } else { "Skia" });
    json.list("adapters", |json| {
        json.open();
        json.text(
            "description",
            dice.pick(&["Vector 4000", "Raster HD", "Prism 970", "Prism 1060"]),
        );
        json.text("vendorID", dice.pick(&["0x8086", "0x10de", "0x1002"]));
        json.text("deviceID", &format!("0x{:04x}", dice.below(0x10000)));
        json.number("RAM", dice.pick(&[512, 1_024, 2_048, 4_096]));
        json.text(
            "driverVersion",
            &format!(
                "{}.{}.10.{}",
                dice.between(8, 22),
                dice.below(20),
                dice.below(5_000)
            ),
        );
        json.boolean("GPUActive", true);
        json.close();
    });
    json.list("monitors", |json| {
        for _ in 0..dice.between(1, 2) {
            json.open();
            json.number("screenWidth", dice.pick(&[1_366, 1_920, 2_560]));
            json.number("screenHeight", dice.pick(&[768, 1_080, 1_440]));
            json.number("refreshRate", 60);
            json.boolean("pseudoDisplay", false);
            json.close();
        }
    });
    json.object("features", |json| {
        json.text("compositor", if windows { "d3d11" } else { "opengl" });
        json.object("gpuProcess", |json| {
            json.text("status", if windows { "available" } else { "unused" });
        });
    });
}

fn write_settings(session: &Session, dice: &mut Dice, json: &mut Json) {
    let client = &session.client;
    json.boolean("blocklistEnabled", true);
    json.boolean("e10sEnabled", client.e10s);
    json.text("e10sCohort", if client.e10s { "test" } else { "addons-set" });
    json.boolean("telemetryEnabled", true);
    json.text("locale", client.locale);
    json.object("update", |json| {
        json.text("channel", client.channel.name);
        json.boolean("enabled", true);
        json.boolean("autoDownload", dice.chance(0.9));
    });
    json.object("userPrefs", |json| {
        json.number(
            "browser.cache.disk.capacity",
            dice.pick(&[358_400, 1_048_576, 256_000]),
        );
        json.boolean("browser.newtabpage.enhanced", dice.chance(0.7));
        json.text("browser.startup.homepage", "<user-set>");
        json.boolean("privacy.donottrackheader.enabled", dice.chance(0.2));
        for feature in WORDS {
            json.boolean(&format!("browser.feature.{feature}.enabled"), true);
        }
    });
    json.boolean("isDefaultBrowser", dice.chance(0.6));
    json.text("defaultSearchEngine", dice.pick(&["one", "two", "three"]));
    json.boolean("addonCompatibilityCheckEnabled", true);
}
