"""A campaign as others can read it: an RO-Crate, plain tables, a record for Kadi4Mat."""
