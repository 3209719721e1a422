"""The corpus: fetched, cleaned, and kept in one note cache."""
