-- Schema version 5: with which secret the clients were hashed that are counted here (what tells it from others), once any were.

ALTER TABLE highwater_aggregates.about ADD COLUMN client_secret BYTEA;
