"""What GitHub told, kept in Delta tables: in a directory or in an object store."""
