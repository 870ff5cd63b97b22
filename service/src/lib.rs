//! What every process needs once: clock, randomness, shutdown, named tasks, logs, metrics, HTTP listener, settings.
