"""A cycle's results as a table that people take away: what its columns say, and its files."""
