-- When output was written: how many bytes and milliseconds each entry is after the one before, as compressed JSON.
ALTER TABLE outputs ADD COLUMN times BLOB
