//! How a chunk looks inside: records, data frames, ids, summary, seek table; its writer and its reader. Pure.
