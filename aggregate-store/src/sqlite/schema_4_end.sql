-- Schema version 4, second part.
DROP TABLE dimension_set;
ALTER TABLE dimension_set_4 RENAME TO dimension_set;
CREATE INDEX dimension_set_by_date ON dimension_set (submission_date);
DROP TABLE listing;
ALTER TABLE listing_4 RENAME TO listing;
DROP TABLE users;
