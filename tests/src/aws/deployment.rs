//! The template of `infra/aws`, deployed into LocalStack with the real zip.

use std::sync::Arc;

use serde_json::{Value, json};

use super::LocalStack;

/// A deployed stack.
#[derive(Debug)]
pub struct Deployment {
    localstack: Arc<LocalStack>,
    outputs: Value,
}

/// How an invocation that was waited for ended.
#[derive(Debug)]
pub struct Invoked {
    /// What the function answered, or the error.
    pub payload: Value,
    /// Whether it failed.
    pub failed: bool,
}

impl Deployment {
    /// Deploys the template under this name, with an index at this address and other parameters.
    ///
    /// # Panics
    /// When that fails; LocalStack's log is printed.
    pub fn up(localstack: &Arc<LocalStack>, stack: &str, index: &str, parameters: &[(&str, &str)]) -> Self {
        let mut given = json!({ "IndexUrl": index });
        for (name, value) in parameters {
            given[name] = json!(value);
        }
        let wish = json!({"up": stack, "zip": localstack.tools.zip, "parameters": given});
        let outputs = localstack.ask(&wish);
        Self {
            outputs: outputs.unwrap_or_else(|error| panic!("not deployed: {error}\n{}", localstack.log())),
            localstack: localstack.clone(),
        }
    }

    /// An output of the template.
    ///
    /// # Panics
    /// When it has none of this name.
    pub fn output(&self, name: &str) -> &str {
        let output = self.outputs[name].as_str();
        output.unwrap_or_else(|| panic!("no output {name}: {}", self.outputs))
    }

    /// Invokes the function and waits for its answer.
    ///
    /// # Panics
    /// When it cannot be invoked.
    pub fn invoke(&self, payload: &Value) -> Invoked {
        let arguments = json!({"FunctionName": self.output("Indexer"), "Payload": payload.to_string()});
        let answer = self.localstack.call("lambda", "invoke", &arguments);
        let text = answer["Payload"].as_str().unwrap_or_default();
        Invoked {
            payload: serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            failed: answer.get("FunctionError").is_some(),
        }
    }

    /// Puts a message into the queue that feeds the function.
    ///
    /// # Panics
    /// When it is refused.
    pub fn announce(&self, message: &Value) {
        self.send(self.output("ChunkQueue"), &message.to_string());
    }

    /// Puts a message into the queue of this URL.
    ///
    /// # Panics
    /// When it is refused.
    pub fn send(&self, queue: &str, message: &str) {
        let arguments = json!({"QueueUrl": queue, "MessageBody": message});
        self.localstack.call("sqs", "send_message", &arguments);
    }

    /// From now on S3 tells the queue of new objects, as the template says, or nobody.
    ///
    /// # Panics
    /// When that is refused.
    pub fn set_notifications(&self, told: bool) {
        self.notify(told.then(|| self.output("ChunkQueue")));
    }

    /// From now on S3 tells the queue of this URL of new objects, or nobody.
    ///
    /// # Panics
    /// When that is refused.
    pub fn notify(&self, queue: Option<&str>) {
        let s3_bucket = self.output("ChunkBucket");
        let mut configuration = json!({});
        if let Some(queue) = queue {
            let attributes = json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]});
            let attributes = self.localstack.call("sqs", "get_queue_attributes", &attributes);
            let queue = &attributes["Attributes"]["QueueArn"];
            configuration =
                json!({"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]});
        }
        let arguments = json!({"Bucket": s3_bucket, "NotificationConfiguration": configuration});
        self.localstack
            .call("s3", "put_bucket_notification_configuration", &arguments);
    }

    /// Messages in a queue (an output's name), those under way included.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn messages(&self, queue: &str) -> u64 {
        self.messages_in(self.output(queue))
    }

    /// Messages in the queue of this URL, those under way included.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn messages_in(&self, queue: &str) -> u64 {
        let arguments = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let attributes = self.localstack.call("sqs", "get_queue_attributes", &arguments);
        let count = |name: &str| {
            let text = attributes["Attributes"][name].as_str().unwrap_or_default();
            text.parse::<u64>().expect("a number")
        };
        count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible")
    }

    /// What the function has logged, line by line.
    pub fn logs(&self) -> Vec<String> {
        let (mut lines, mut token) = (Vec::new(), None::<Value>);
        loop {
            let mut arguments = json!({"logGroupName": self.output("IndexerLogs")});
            if let Some(token) = token {
                arguments["nextToken"] = token;
            }
            let page = self.localstack.call("logs", "filter_log_events", &arguments);
            let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
            lines.extend(events.iter().map(|event| {
                event["message"]
                    .as_str()
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned()
            }));
            match page.get("nextToken") {
                Some(next) if !events.is_empty() => token = Some(next.clone()),
                _ => return lines,
            }
        }
    }

    /// The function's own lines about objects: those that are JSON and name an outcome, their fields.
    pub fn outcomes(&self) -> Vec<Value> {
        let lines = self.logs();
        let parsed = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let fields = parsed.map(|mut line| line["fields"].take());
        fields.filter(|fields| fields["outcome"].is_string()).collect()
    }

    /// The log, once it is so: its lines come later than what they tell of.
    ///
    /// # Panics
    /// When that does not come within minutes.
    pub fn wait_for_logs(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        self.wait(what, || {
            lines = self.logs();
            is_so(&lines)
        });
        lines
    }

    /// The same of its lines about objects.
    ///
    /// # Panics
    /// When that does not come within minutes.
    pub fn wait_for_outcomes(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut outcomes = Vec::new();
        self.wait(what, || {
            outcomes = self.outcomes();
            is_so(&outcomes)
        });
        outcomes
    }

    /// Waits until the log has a line of this outcome about this key.
    ///
    /// # Panics
    /// When that does not come within minutes.
    pub fn wait_for_outcome(&self, outcome: &str, key: &str) {
        let is_it = |fields: &Value| fields["outcome"] == outcome && fields["key"] == key;
        self.wait_for_outcomes(&format!("{outcome} {key}"), |outcomes| outcomes.iter().any(is_it));
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When that does not come within minutes; what the function and LocalStack logged is printed.
    pub fn wait(&self, what: &str, is_so: impl FnMut() -> bool) {
        self.localstack.wait(what, || self.logs().join("\n"), is_so);
    }
}
