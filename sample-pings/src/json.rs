//! JSON written straight into text, compact. Every member ends with a comma, which the closing bracket takes back.

/// A JSON text that grows. Keys and texts given to it hold only characters that need no escape but `"` and `\`.
#[derive(Default)]
pub(crate) struct Json(String);

impl Json {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// The finished text.
    pub(crate) fn finish(mut self) -> String {
        if self.0.ends_with(',') {
            self.0.pop();
        }
        self.0
    }

    /// An object begins; inside an array or as the whole.
    pub(crate) fn open(&mut self) {
        self.0.push('{');
    }

    /// The object ends.
    pub(crate) fn close(&mut self) {
        self.end('}');
    }

    pub(crate) fn open_list(&mut self) {
        self.0.push('[');
    }

    pub(crate) fn close_list(&mut self) {
        self.end(']');
    }

    /// `"key":`
    pub(crate) fn key(&mut self, key: &str) {
        self.quoted(key);
        self.0.push(':');
    }

    /// A member that is an object, filled by `fill`.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.open();
        fill(self);
        self.close();
    }

    /// A member that is a list, filled by `fill`.
    pub(crate) fn list(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.open_list();
        fill(self);
        self.close_list();
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.push_number(value);
        self.0.push(',');
    }

    /// `"number":number`, as bins are written.
    pub(crate) fn number_of(&mut self, key: u64, value: u64) {
        self.0.push('"');
        self.push_number(key);
        self.0.push_str("\":");
        self.item_number(value);
    }

    /// A number with up to three decimals.
    pub(crate) fn decimal(&mut self, key: &str, thousandths: u64) {
        self.key(key);
        self.push_number(thousandths / 1_000);
        let mut rest = thousandths % 1_000;
        if rest > 0 {
            self.0.push('.');
            let mut place = 100;
            while rest > 0 {
                self.0.push(char::from(b'0' + (rest / place) as u8));
                rest %= place;
                place /= 10;
            }
        }
        self.0.push(',');
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.item_text(value);
    }

    pub(crate) fn boolean(&mut self, key: &str, value: bool) {
        self.raw_member(key, if value { "true" } else { "false" });
    }

    /// A member whose value is JSON already.
    pub(crate) fn raw_member(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
        self.0.push(',');
    }

    /// A list's element.
    pub(crate) fn item_text(&mut self, value: &str) {
        self.quoted(value);
        self.0.push(',');
    }

    /// A list's element.
    pub(crate) fn item_number(&mut self, value: u64) {
        self.push_number(value);
        self.0.push(',');
    }

    /// Text as it is, no comma.
    pub(crate) fn raw(&mut self, json: &str) {
        self.0.push_str(json);
    }

    /// A number as it is, no comma.
    pub(crate) fn push_number(&mut self, mut value: u64) {
        let mut digits = [b'0'; 20];
        let mut at = 19;
        while value > 9 {
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            at -= 1;
        }
        digits[at] = b'0' + value as u8;
        self.0
            .push_str(std::str::from_utf8(&digits[at..]).expect("ASCII digits"));
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for (nth, part) in text.split(['"', '\\']).enumerate() {
            if nth > 0 {
                let at = part.as_ptr() as usize - text.as_ptr() as usize - 1;
                self.0.push('\\');
                self.0.push_str(&text[at..=at]);
            }
            self.0.push_str(part);
        }
        self.0.push('"');
    }

    fn end(&mut self, bracket: char) {
        if self.0.ends_with(',') {
            self.0.pop();
        }
        self.0.push(bracket);
        self.0.push(',');
    }
}
